//! Whatever text somebody sends: amounts, prices, ids, times and texts are read whole or refused, never with a panic,
//! and what was read is written back in one form. Arithmetic on prices is compared with long multiplication on paper.

use coffer_ledger::{
    AccountId, ChargeId, Credits, IdempotencyKey, Metadata, Name, Operation, Quantity, Rate, Timestamp,
};
use proptest::prelude::*;

/// The digits of a decimal text without its point, and how many stand behind it.
fn digits(text: &str) -> (Vec<u8>, usize) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect(), fraction.len())
}

/// A product as on paper, the last digit last.
fn times_on_paper(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut product = vec![0_u32; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        for (j, y) in b.iter().rev().enumerate() {
            product[i + j] += u32::from(*x) * u32::from(*y);
        }
    }
    for place in 0..product.len() {
        let carry = product[place] / 10;
        product[place] %= 10;
        if let Some(next) = product.get_mut(place + 1) {
            *next += carry;
        }
    }
    product.iter().rev().map(|digit| u8::try_from(*digit).expect("a digit")).collect()
}

/// The product of two decimals, rounded half-even to six fraction digits, as canonical text.
fn rounded_on_paper(price: &str, quantity: &str) -> String {
    let ((price, behind_price), (quantity, behind_quantity)) = (digits(price), digits(quantity));
    let mut product = times_on_paper(&price, &quantity);
    let mut behind = behind_price + behind_quantity;
    while behind < 6 {
        product.push(0);
        behind += 1;
    }
    let cut = product.len() - (behind - 6);
    let (kept, rest) = product.split_at(cut);
    let mut kept = kept.to_vec();
    let is_half = rest.first() == Some(&5) && rest[1..].iter().all(|digit| *digit == 0);
    let is_more = rest.first().is_some_and(|digit| *digit >= 5) && !is_half;
    let is_odd = kept.last().is_some_and(|digit| digit % 2 == 1);
    if is_more || is_half && is_odd {
        let mut place = kept.len();
        loop {
            if place == 0 {
                kept.insert(0, 1);
                break;
            }
            place -= 1;
            kept[place] += 1;
            if kept[place] < 10 {
                break;
            }
            kept[place] = 0;
        }
    }
    while kept.len() < 7 {
        kept.insert(0, 0);
    }
    let text: String = kept.iter().map(|digit| char::from(b'0' + digit)).collect();
    let (whole, fraction) = text.split_at(text.len() - 6);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[test]
fn paper_rounds_half_to_even() {
    for (price, quantity, cost) in [
        ("0.0000005", "1", "0"),
        ("0.0000015", "1", "0.000002"),
        ("0.0000025", "1", "0.000002"),
        ("0.9999995", "1", "1"),
        ("12", "12", "144"),
    ] {
        assert_eq!(rounded_on_paper(price, quantity), cost, "{price} × {quantity}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(credits) = text.parse::<Credits>() {
            prop_assert_eq!(credits.to_string().parse(), Ok(credits));
        }
        if let Ok(rate) = text.parse::<Rate>() {
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        if let Ok(id) = text.parse::<AccountId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
        for kept in [
            Name::try_from(text.clone()).map(|name| name.as_str().to_owned()),
            Operation::try_from(text.clone()).map(|operation| operation.as_str().to_owned()),
            IdempotencyKey::try_from(text.clone()).map(|key| key.as_str().to_owned()),
        ].into_iter().flatten() {
            prop_assert_eq!(kept, text.clone());
        }
    }

    #[test]
    fn what_looks_like_an_amount_is_read_exactly(text in "-?[0-9]{1,15}(\\.[0-9]{0,8})?") {
        let read = text.parse::<Credits>();
        let (sign, plain) = text.strip_prefix('-').map_or((1, text.as_str()), |plain| (-1, plain));
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let is_canonical = (whole == "0" || !whole.starts_with('0')) && (!plain.contains('.') || !fraction.is_empty());
        let parts: i128 = format!("{whole}{fraction:0<8}").parse().expect("digits");
        let fits = is_canonical && fraction.len() <= 6 && parts <= 900_000_000_000_000_000_000;
        let is_negative_zero = sign < 0 && parts == 0;
        prop_assert_eq!(read.is_ok(), fits && !is_negative_zero, "{:?}", read);
        if let Ok(credits) = read {
            prop_assert_eq!(i128::from(credits.millionths()), sign * parts / 100);
        }
    }

    #[test]
    fn amounts_are_written_and_read_as_the_same(millionths in any::<i64>()) {
        if let Some(credits) = Credits::from_millionths(millionths) {
            prop_assert_eq!(credits.to_string().parse(), Ok(credits));
        }
    }

    #[test]
    fn ids_are_written_and_read_as_the_same(bytes in any::<[u8; 16]>()) {
        let id = ChargeId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert!(id.to_string().replace("chg_", "acc_").parse::<ChargeId>().is_err());
    }

    #[test]
    fn a_price_times_a_quantity_is_as_on_paper(
        price in "(0|[1-9][0-9]{0,6})\\.[0-9]{1,12}",
        quantity in "(0|[1-9][0-9]{0,4})\\.[0-9]{1,6}",
    ) {
        let rate: Rate = price.parse().expect("a price");
        let amount: Credits = quantity.parse().expect("an amount");
        if let Some(parsed) = Quantity::new(amount) {
            let cost = rate.times(parsed).map(|cost| cost.to_string());
            prop_assert_eq!(cost, Some(rounded_on_paper(&price, &quantity)));
        }
    }

    #[test]
    fn huge_products_are_refused_and_never_wrap(rate in 0_i64..=9_000_000_000_000, amount in 1_i64..=9_000_000_000_000) {
        let quantity = Quantity::new(Credits::from_whole(amount).expect("in range")).expect("above zero");
        let product = i128::from(rate) * i128::from(amount);
        let cost = rate.to_string().parse::<Rate>().expect("a price").times(quantity);
        prop_assert_eq!(cost.map(|cost| i128::from(cost.millionths()) / 1_000_000), (product <= 9_000_000_000_000).then_some(product));
    }
}

proptest! {
    // Fewer, for each is many texts.
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn metadata_keeps_to_its_limits(pairs in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..60)) {
        if let Ok(metadata) = Metadata::try_from(pairs.clone()) {
            prop_assert!(pairs.len() <= 50);
            prop_assert_eq!(metadata.pairs(), &pairs);
        }
    }
}
