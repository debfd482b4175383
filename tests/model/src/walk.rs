//! Walks: a history, taken through the model and through a store at once.
//!
//! Owns the clock and what is compared when; how steps become commands is in `walk/maker.rs`, what is compared in
//! `walk/check.rs`, and what entries say by themselves in `walk/chain.rs`.

mod chain;
mod check;
mod maker;

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use coffer_ledger::{Account, AccountId, Command, Entry, Outcome, Reply, Seq, Timestamp, settle};
use coffer_store::{Batch, EntryQuery, Store};

use self::chain::Chain;
use self::maker::Maker;
use crate::answer::Answered;
use crate::model::Model;
use crate::step::{Act, Jump, Mix, Step};

/// When every history begins: a Saturday at noon, nine days before the end of a month.
const BEGINNING: &str = "2026-08-22T12:00:00.000Z";

/// How much of a step a mismatch tells: some have thousands of commands.
const STEP_CHARACTERS_MAX: usize = 1_000;

/// Where a store and the model part.
#[derive(Clone, Debug)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses two that are not the same.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Mismatch> {
    if found == expected {
        return Ok(());
    }
    Err(Mismatch(format!("{what}\n  is        {found:?}\n  should be {expected:?}")))
}

/// A history on its way.
pub struct Walk {
    store: Arc<dyn Store>,
    /// What must come of it, where amounts are such that the model follows.
    model: Option<Model>,
    clock: Timestamp,
    maker: Maker,
    chains: BTreeMap<AccountId, Chain>,
}

impl Walk {
    /// Begins a history on an empty store.
    ///
    /// # Errors
    /// Where the store does not even begin as it must.
    pub async fn begin(store: Arc<dyn Store>, mix: Mix) -> Result<Walk, Mismatch> {
        let mut walk = Walk {
            store,
            model: match mix {
                Mix::Small => Some(Model::default()),
                Mix::Huge => None,
            },
            clock: BEGINNING.parse().expect("a time"),
            maker: Maker::default(),
            chains: BTreeMap::new(),
        };
        for act in Maker::beginning() {
            walk.step(&Step::Batch(vec![act])).await?;
        }
        Ok(walk)
    }

    /// Goes on with another store, which must know all that the one before did.
    pub fn go_on_with(&mut self, store: Arc<dyn Store>) {
        self.store = store;
    }

    /// Takes one step, and compares.
    ///
    /// # Errors
    /// Where the store and the model part, or entries do not add up.
    pub async fn step(&mut self, step: &Step) -> Result<(), Mismatch> {
        let accounts = self.accounts().await;
        match step {
            Step::Jump(jump) => self.clock = self.after(jump, &accounts),
            Step::Batch(acts) => self.batch(acts, &accounts).await?,
        }
        let checked = self.check().await;
        checked.map_err(|Mismatch(what)| {
            let step: String = format!("{step:?}").chars().take(STEP_CHARACTERS_MAX).collect();
            Mismatch(format!("after {step} at {}:\n{what}", self.clock))
        })
    }

    async fn batch(&mut self, acts: &[Act], accounts: &[Account]) -> Result<(), Mismatch> {
        let made = acts.iter().filter_map(|act| self.maker.command(act, self.clock, accounts));
        let commands: Vec<Command> = made.collect();
        let batch = Batch { clock: self.clock, commands: commands.clone() };
        let replies = self.store.apply(batch).await.expect("a batch is written");
        same("the number of replies", &replies.len(), &commands.len())?;
        for (command, reply) in commands.iter().zip(&replies) {
            if !reply.replayed {
                self.maker.objects().learn(command, &reply.outcome);
            }
            self.compare(command, reply)?;
        }
        Ok(())
    }

    fn compare(&mut self, command: &Command, reply: &Reply) -> Result<(), Mismatch> {
        let answered = Answered::of(reply);
        if let Outcome::AccountCreated(record) = &reply.outcome {
            self.chains.insert(record.account.id, Chain::default());
        }
        let Some(model) = &mut self.model else { return Ok(()) };
        let expected = model.apply(self.clock, command);
        same("the answer", &answered, &expected)
            .map_err(|Mismatch(what)| Mismatch(format!("{command:#?}\nat {}:\n{what}", self.clock)))
    }

    /// The accounts, oldest first, as they are seen now.
    async fn accounts(&self) -> Vec<Account> {
        let mut accounts = Vec::new();
        for id in self.maker.accounts() {
            let account = self.store.account(id).await.expect("a read").expect("a known account");
            accounts.push(settle(&account, self.clock.max(account.last_at)).into_owned());
        }
        accounts
    }

    /// Compares all accounts as they are now.
    ///
    /// # Errors
    /// Where the store and the model part, or entries do not add up.
    pub async fn check(&mut self) -> Result<(), Mismatch> {
        for id in self.maker.accounts() {
            let account = self.store.account(id).await.expect("a read").expect("a known account");
            let chain = self.chains.get_mut(&id).expect("every account has a chain");
            let entries = entries_after(&*self.store, id, chain.seq()).await;
            for entry in &entries {
                chain.append(entry)?;
                let lots = entry.lots.iter().filter_map(|change| change.grant_id);
                lots.for_each(|lot| self.maker.objects().see_lot(id, lot));
            }
            chain.must_agree_with(&account)?;
            if let Some(model) = &self.model {
                let model = model.account(id).expect("the model knows every account");
                check::entries(&entries, model)?;
                check::account(&*self.store, &account, model, self.clock).await?;
            }
        }
        Ok(())
    }

    /// Compares what is compared only now and then, for it takes long: all that has ended.
    ///
    /// # Errors
    /// Where the store and the model part.
    pub async fn check_past(&self) -> Result<(), Mismatch> {
        let Some(model) = &self.model else { return Ok(()) };
        for account in &model.accounts {
            check::past(&*self.store, account).await?;
        }
        Ok(())
    }

    fn after(&self, jump: &Jump, accounts: &[Account]) -> Timestamp {
        const HOUR_MS: i64 = 60 * 60 * 1000;
        const DAY_MS: i64 = 24 * HOUR_MS;
        let now = self.clock.unix_ms();
        let midnight = |days: i64| (now / DAY_MS + days) * DAY_MS;
        let first_midnight = |found: &dyn Fn(Timestamp) -> bool| {
            let mut days = (1..40).map(midnight).filter_map(Timestamp::from_unix_ms);
            days.find(|at| found(*at)).expect("every month has a first and a Monday").unix_ms()
        };
        let next = match jump {
            Jump::Milliseconds(milliseconds) => now + i64::from(*milliseconds),
            Jump::Hours(hours) => now + i64::from(*hours) * HOUR_MS,
            Jump::Days(days) => now + i64::from(*days) * DAY_MS,
            Jump::ToMidnight { nudge } => midnight(1) + i64::from(*nudge),
            Jump::ToMonday { nudge } => {
                first_midnight(&|at| (at.unix_ms() / DAY_MS + 3) % 7 == 0) + i64::from(*nudge)
            }
            Jump::ToMonth { nudge } => {
                first_midnight(&|at| at.to_string().contains("-01T")) + i64::from(*nudge)
            }
            Jump::ToDue { account, nudge } => {
                let account = &accounts[usize::from(*account) % accounts.len()];
                account.next_due().map_or(now, |due| due.unix_ms() + i64::from(*nudge))
            }
            Jump::Back { milliseconds } => now - i64::from(*milliseconds),
        };
        Timestamp::from_unix_ms(next).expect("histories end long before the year 9999")
    }
}

/// All entries of an account after one, read a page at a time.
async fn entries_after(store: &dyn Store, id: AccountId, seq: Seq) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut beyond = Some(seq);
    while let Some(from) = beyond {
        let query = EntryQuery::all_of(id, Some(from), 1_000);
        let page = store.entries(query).await.expect("a read");
        entries.extend(page.entries);
        beyond = page.next;
    }
    entries
}
