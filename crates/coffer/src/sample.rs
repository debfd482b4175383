//! A month of what customers do, for whoever looks at Coffer for the first time: made with ordinary commands under a clock that
//! runs through the month, and so as good as any other history.
//!
//! The sample account ends with exactly the credits that it is known for; a few neighbours make the console's lists livelier.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use coffer_ledger::{
    AccountId, CaptureAmount, CaptureHold, Category, ChargeCredits, ChargeId, Command, Cost, CreateAccount,
    CreateKey, Credits, Description, Excess, ExternalId, GrantCredits, GrantId, HoldCredits, HoldId,
    IdempotencyKey, KeyId, KeyLimit, KeyUse, Metadata, Name, Note, Outcome, Period, Priority, PutPrice,
    Quantity, Reference, RefundCharge, RefundId, Reply, Timestamp, Unit,
};
use coffer_service::{KeyPrefix, Secret, Service, mint_id, mint_id_anywhere, mint_salt};

use crate::Failure;
use crate::serve::failed;

/// What the sample account ends with.
pub(crate) const SAMPLE_CREDITS: i64 = 1234;
/// Your own id for the sample account, in the words of the API.
pub(crate) const SAMPLE_EXTERNAL_ID: &str = "sample";

const DAYS: i64 = 30;
const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 24 * 60 * MS_PER_MINUTE;
/// When customers work, in minutes since midnight.
const MOMENTS: [i64; 6] = [8 * 60 + 12, 10 * 60 + 41, 13 * 60 + 7, 15 * 60 + 33, 18 * 60 + 26, 21 * 60 + 50];
/// When the sample account buys more: the day, and which of its moments.
const PURCHASE: (i64, usize) = (12, 0);
/// The month ends so long before now.
const ENDS_BEFORE_NOW_MS: i64 = 3 * MS_PER_MINUTE;

/// Operation, credits per unit, unit, description.
const PRICES: [(&str, &str, &str, &str); 3] = [
    ("remove-watermark", "1.5", "image", "Removes a watermark from an image"),
    ("upscale", "4", "image", "Doubles an image's sides"),
    ("video-frame", "0.0125", "frame", "Cleans a frame of a video"),
];

/// Name, external id, and how many credits a month it takes, of the sample account's neighbours.
const NEIGHBOURS: [(&str, &str, i64); 5] = [
    ("Northwind Photos", "cus_northwind", 6_000),
    ("Lumen Archive", "cus_lumen", 2_500),
    ("Studio Ärlig", "cus_arlig", 900),
    ("青山影像", "cus_qingshan", 1_600),
    ("Paperboat Press", "cus_paperboat", 250),
];

/// Who spends.
struct Customer {
    id: AccountId,
    keys: Vec<KeyUse>,
    /// How many images it sends at a time, at most.
    images_max: u64,
    /// A hold that is to be captured at the next moment.
    held: Option<HoldId>,
    last_charge: Option<ChargeId>,
}

/// The month, as far as it has come.
struct Month<'a> {
    service: &'a Service,
    prefix: &'a KeyPrefix,
    chance: Chance,
    names: u32,
}

/// Makes the sample account and its neighbours, and lets a month pass that ends shortly before now. The service's clock is
/// the one that is given.
pub(crate) async fn fill(
    service: &Service,
    clock: &Arc<AtomicI64>,
    now: Timestamp,
    prefix: &KeyPrefix,
) -> Result<(), Failure> {
    let end = now.unix_ms() - ENDS_BEFORE_NOW_MS;
    let first_day = now.start_of_day().unix_ms() - DAYS * MS_PER_DAY;
    let mut month = Month { service, prefix, chance: Chance(0x9e37_79b9_7f4a_7c15), names: 0 };
    clock.store(first_day + 7 * 60 * MS_PER_MINUTE, Ordering::Relaxed);
    month.put_prices().await?;
    let mut customers = vec![month.sample().await?];
    for (name, external_id, credits) in NEIGHBOURS {
        customers.push(month.neighbour(name, external_id, credits).await?);
    }
    for day in 0..=DAYS {
        for (place, minutes) in MOMENTS.into_iter().enumerate() {
            let at = first_day + day * MS_PER_DAY + (minutes + month.chance.below(17) as i64) * MS_PER_MINUTE;
            if at >= end {
                break;
            }
            clock.store(at, Ordering::Relaxed);
            if (day, place) == PURCHASE {
                let paid = month.grant(customers[0].id, 2_000, Category::Paid, "invoice 1017", None);
                month.run(vec![paid]).await?;
            }
            month.moment(&mut customers).await?;
        }
    }
    clock.store(end, Ordering::Relaxed);
    month.even_out(&customers[0]).await
}

impl Month<'_> {
    /// Carries out commands, all of which must work but for those that a customer could be refused.
    async fn run(&self, commands: Vec<Command>) -> Result<Vec<Outcome>, Failure> {
        let replies = self.service.submit_all(commands).await.map_err(failed)?;
        Ok(replies.into_iter().map(|Reply { outcome, .. }| outcome).collect())
    }

    /// Prices of operations that have none yet.
    async fn put_prices(&self) -> Result<(), Failure> {
        for shown in PRICES {
            let known = self.service.reader().price(text(shown.0)).await.map_err(failed)?;
            if known.is_none() {
                self.run(vec![price(shown)]).await?;
            }
        }
        Ok(())
    }

    async fn sample(&mut self) -> Result<Customer, Failure> {
        let id = self.account("Sample account", SAMPLE_EXTERNAL_ID).await?;
        let monthly = KeyLimit { credits: whole(2_000), period: Period::Month };
        let keys = [("Production", None), ("Staging", Some(monthly)), ("Batch worker", None)];
        let mut made = Vec::new();
        for (name, limit) in keys {
            made.push(self.key(id, name, limit).await?);
        }
        let welcome = self.grant(id, 250, Category::Promotional, "welcome credits", Some(21));
        let paid = self.grant(id, 2_500, Category::Paid, "invoice 1001", None);
        self.run(vec![welcome, paid]).await?;
        Ok(Customer { id, keys: made, images_max: 12, held: None, last_charge: None })
    }

    async fn neighbour(&mut self, name: &str, external_id: &str, credits: i64) -> Result<Customer, Failure> {
        let id = self.account(name, external_id).await?;
        let key = self.key(id, "API", None).await?;
        let paid = self.grant(id, credits, Category::Paid, "first invoice", None);
        let gift = self.grant(id, credits / 10, Category::Promotional, "spring offer", Some(34));
        self.run(vec![paid, gift]).await?;
        let images_max = u64::try_from(credits / 180).unwrap_or(0).max(1);
        Ok(Customer { id, keys: vec![key], images_max, held: None, last_charge: None })
    }

    async fn account(&self, name: &str, external_id: &str) -> Result<AccountId, Failure> {
        let account = CreateAccount {
            id: AccountId::from_bytes(mint_id_anywhere()),
            name: text::<Name>(name),
            external_id: Some(text::<ExternalId>(external_id)),
            overdraft_limit: Credits::ZERO,
            metadata: Metadata::default(),
        };
        let id = account.id;
        match self.run(vec![Command::CreateAccount(account)]).await?.pop() {
            Some(Outcome::AccountCreated(_)) => Ok(id),
            other => Err(Failure::Failed(format!("the account {name} was not made: {other:?}"))),
        }
    }

    /// A key that nobody has: what was done with it is all that is to be seen.
    async fn key(
        &self,
        account_id: AccountId,
        name: &str,
        limit: Option<KeyLimit>,
    ) -> Result<KeyUse, Failure> {
        let secret = Secret::generate(self.prefix);
        let id = KeyId::from_bytes(mint_id(account_id.bucket()));
        let key = CreateKey {
            id,
            account_id,
            name: text::<Name>(name),
            secret: secret.hash(),
            hint: secret.hint(self.prefix),
            expires_at: None,
            limit,
            metadata: Metadata::default(),
        };
        self.run(vec![Command::CreateKey(key)]).await?;
        Ok(KeyUse { key_id: id, secret: secret.hash() })
    }

    /// What happens at one moment: somebody pays, everybody works, all in one commit.
    async fn moment(&mut self, customers: &mut [Customer]) -> Result<(), Failure> {
        let is_weekend =
            self.service.now().start_of_week().unix_ms() + 5 * MS_PER_DAY <= self.service.now().unix_ms();
        let mut commands = Vec::new();
        for (place, customer) in customers.iter_mut().enumerate() {
            self.work(customer, place == 0, is_weekend, &mut commands);
        }
        self.run(commands).await?;
        // As the API does for a key that is presented; it is written when the month is over.
        for key in customers.iter().flat_map(|customer| &customer.keys) {
            self.service.standing(&key.secret).await.map_err(failed)?;
        }
        Ok(())
    }

    fn work(&mut self, customer: &mut Customer, is_sample: bool, is_weekend: bool, into: &mut Vec<Command>) {
        if let Some(hold_id) = customer.held.take() {
            into.push(self.capture(customer, hold_id));
        }
        let busy = match (is_sample, is_weekend) {
            (true, false) => 3,
            (true, true) | (false, false) => 1,
            (false, true) => u64::from(self.chance.below(3) == 0),
        };
        for _ in 0..busy {
            let (operation, quantity) = match self.chance.below(10) {
                0..=5 => ("remove-watermark", 1 + self.chance.below(customer.images_max)),
                6..=7 => ("upscale", 1 + self.chance.below(customer.images_max.div_ceil(3))),
                _ => ("video-frame", 24 * (1 + self.chance.below(30))),
            };
            let charge = self.charge(customer, operation, quantity);
            into.push(charge);
        }
        match self.chance.below(40) {
            0 => into.extend(self.refund(customer)),
            1 | 2 => into.push(self.hold(customer)),
            _ => {}
        }
    }

    fn key_of(&mut self, customer: &Customer) -> KeyUse {
        // The first key does most of the work.
        let place = [0, 0, 0, 0, 1, 2][usize::try_from(self.chance.below(6)).unwrap_or(0)];
        customer.keys[place.min(customer.keys.len() - 1)]
    }

    fn charge(&mut self, customer: &mut Customer, operation: &str, quantity: u64) -> Command {
        let id = ChargeId::from_bytes(mint_id(customer.id.bucket()));
        customer.last_charge = Some(id);
        Command::Charge(ChargeCredits {
            id,
            account_id: customer.id,
            key: Some(self.key_of(customer)),
            cost: Cost::Operation { operation: text(operation), quantity: quantity_of(quantity) },
            note: Note::new(None, Metadata::default(), mint_salt()),
            idempotency: self.name(),
        })
    }

    fn hold(&mut self, customer: &mut Customer) -> Command {
        let id = HoldId::from_bytes(mint_id(customer.id.bucket()));
        customer.held = Some(id);
        Command::Hold(HoldCredits {
            id,
            account_id: customer.id,
            key: Some(self.key_of(customer)),
            cost: Cost::Credits(whole(18)),
            expires_in_ms: 24 * 60 * 60 * 1000,
            note: noted("video job"),
            idempotency: self.name(),
        })
    }

    fn capture(&mut self, customer: &Customer, hold_id: HoldId) -> Command {
        Command::Capture(CaptureHold {
            id: ChargeId::from_bytes(mint_id(customer.id.bucket())),
            hold_id,
            account_id: customer.id,
            amount: CaptureAmount::Credits(whole(15)),
            is_final: true,
            excess: Excess::default(),
            idempotency: self.name(),
        })
    }

    fn refund(&mut self, customer: &mut Customer) -> Option<Command> {
        let charge_id = customer.last_charge.take()?;
        let bucket = customer.id.bucket();
        Some(Command::Refund(RefundCharge {
            id: RefundId::from_bytes(mint_id(bucket)),
            charge_id,
            account_id: customer.id,
            credits: None,
            paid_lot_id: GrantId::from_bytes(mint_id(bucket)),
            refund_lot_id: GrantId::from_bytes(mint_id(bucket)),
            refund_lot_days: 30,
            idempotency: self.name(),
        }))
    }

    fn grant(
        &mut self,
        account_id: AccountId,
        credits: i64,
        category: Category,
        reference: &str,
        days: Option<u16>,
    ) -> Command {
        let expires_at = days.map(|days| self.service.now().saturating_add_days(days));
        // What is given goes before what was paid for.
        let priority = if category == Category::Promotional { Priority::new(20) } else { None };
        Command::Grant(GrantCredits {
            id: GrantId::from_bytes(mint_id(account_id.bucket())),
            account_id,
            credits: whole(credits),
            category,
            priority: priority.unwrap_or(Priority::DEFAULT),
            effective_at: None,
            expires_at,
            note: noted(reference),
            idempotency: self.name(),
        })
    }

    /// A last purchase, and a last large job that leaves the sample account with what it is known for.
    async fn even_out(&mut self, sample: &Customer) -> Result<(), Failure> {
        if let Some(hold_id) = sample.held {
            let capture = self.capture(sample, hold_id);
            self.run(vec![capture]).await?;
        }
        let settled = self.service.account(sample.id).await.map_err(failed)?;
        let available = settled.map_or(Credits::ZERO, |settled| settled.account.balance.available);
        let target = whole(SAMPLE_CREDITS);
        // Round, and more than what is missing.
        let missing = target.checked_sub(available).unwrap_or(Credits::ZERO).millionths() / 1_000_000;
        let purchase = (missing / 500 + 1).max(1) * 500;
        let paid = self.grant(sample.id, purchase, Category::Paid, "invoice 1042", None);
        let after = available.checked_add(whole(purchase)).expect("a small amount");
        let rest = after.checked_sub(target).expect("a small amount");
        let mut commands = vec![paid];
        if rest.is_positive() {
            commands.push(Command::Charge(ChargeCredits {
                id: ChargeId::from_bytes(mint_id(sample.id.bucket())),
                account_id: sample.id,
                key: sample.keys.last().copied(),
                cost: Cost::Credits(rest),
                note: noted("catalogue re-run"),
                idempotency: self.name(),
            }));
        }
        self.run(commands).await?;
        Ok(())
    }

    fn name(&mut self) -> IdempotencyKey {
        self.names += 1;
        text(&format!("sample-{}", self.names))
    }
}

fn price((operation, rate, unit, description): (&str, &str, &str, &str)) -> Command {
    Command::PutPrice(PutPrice {
        id: mint_id_anywhere(),
        operation: text(operation),
        rate: rate.parse().expect("a price"),
        unit: Some(text::<Unit>(unit)),
        description: Some(text::<Description>(description)),
    })
}

fn noted(reference: &str) -> Note {
    Note::new(Some(text::<Reference>(reference)), Metadata::default(), mint_salt())
}

fn whole(credits: i64) -> Credits {
    Credits::from_whole(credits).expect("a small amount")
}

fn quantity_of(count: u64) -> Quantity {
    let whole = i64::try_from(count).ok().and_then(Credits::from_whole);
    whole.and_then(Quantity::new).expect("a small count above zero")
}

fn text<T: TryFrom<String, Error: std::fmt::Debug>>(text: &str) -> T {
    T::try_from(text.to_owned()).expect("a short text")
}

/// Numbers as they come: the same ones every time, so that every first look is the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
