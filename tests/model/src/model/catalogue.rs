//! Prices, and what a quantity costs.

use coffer_ledger::{
    DeletePrice, Operation, PutPrice, Quantity, RESERVED_OPERATION, Rate, Refusal, Timestamp,
};

use super::{Model, Verdict};
use crate::account::{Amount, amount};
use crate::answer::{Answer, PriceView};

impl Model {
    pub(super) fn put_price(&mut self, clock: Timestamp, put: &PutPrice) -> Verdict {
        if put.operation.as_str() == RESERVED_OPERATION {
            return Err(Refusal::OperationIsReserved(put.operation.clone()));
        }
        let known = self.prices.iter().find(|price| price.operation == put.operation);
        let price = PriceView {
            id: known.map_or(put.id, |price| price.id),
            operation: put.operation.clone(),
            rate: put.rate,
            updated_at: Some(clock),
        };
        self.prices.retain(|known| known.operation != put.operation);
        self.prices.push(price.clone());
        Ok(Answer::PricePut(price))
    }

    pub(super) fn delete_price(&mut self, delete: &DeletePrice) -> Verdict {
        if delete.operation.as_str() == RESERVED_OPERATION {
            return Err(Refusal::OperationIsReserved(delete.operation.clone()));
        }
        if !self.prices.iter().any(|price| price.operation == delete.operation) {
            return Err(Refusal::OperationIsUnknown(delete.operation.clone()));
        }
        self.prices.retain(|price| price.operation != delete.operation);
        Ok(Answer::PriceDeleted)
    }
}

/// The price that cannot be changed.
pub(super) fn reserved() -> PriceView {
    let operation = Operation::try_from(RESERVED_OPERATION.to_owned()).expect("a short name");
    PriceView { id: [0; 16], operation, rate: Rate::FREE, updated_at: None }
}

/// What a quantity costs, rounded half-even to a millionth. The rate is read from its decimal form.
pub(super) fn product(rate: Rate, quantity: Quantity) -> Amount {
    let text = rate.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let parts: Amount = format!("{whole}{fraction:0<12}").parse().expect("a rate is a decimal");
    // In parts of 10⁻¹² for each unit, of 10⁻⁶ for each millionth: 10¹² of these are a millionth of a credit.
    let product = parts * amount(quantity.amount());
    let (below, rest) = (product / 1_000_000_000_000, product % 1_000_000_000_000);
    match rest.cmp(&500_000_000_000) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => below + 1,
        std::cmp::Ordering::Equal => below + below % 2,
    }
}
