//! Sums over all accounts, for whoever looks at the ledger as a whole.
//!
//! Nobody waits for a walk through a million accounts: it is made in pages, apart from requests, resting between them, and
//! only while somebody looks; what is shown is the last one that was finished, with its time. Where all accounts are on a page
//! or two it is made at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use coffer_ledger::{AccountId, AccountRecord, AccountStatus, Timestamp, settle};
use coffer_store::{AccountFilter, Span};

use crate::limits::{
    EXPIRING_WITHIN_DAYS, SURVEY_FRESH_MS, SURVEY_PAGE_MAX, SURVEY_PAGES_AT_ONCE, SURVEY_REST_TIMES,
    SURVEY_TOP_MAX,
};
use crate::service::{ReadError, Service};
use crate::total::Total;

/// What all accounts come to.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// When it was begun; accounts were looked at one after another from then on.
    pub at: Timestamp,
    /// Accounts that are not closed.
    pub accounts: u64,
    /// Of these, frozen ones.
    pub frozen: u64,
    /// Of these, those in debt.
    pub in_debt: u64,
    /// What can be spent, debts not subtracted.
    pub available: Total,
    /// What is owed.
    pub debt: Total,
    /// What open holds have reserved.
    pub held: Total,
    /// What was ever granted, positive adjustments not included.
    pub granted: Total,
    /// What was ever spent, less refunds.
    pub spent: Total,
    /// What was never spent: expired or voided.
    pub lapsed: Total,
    /// What expires within [`EXPIRING_WITHIN_DAYS`] days.
    pub expiring: Total,
    /// Who has spent most, the first first.
    pub top: Vec<(AccountId, Total)>,
}

/// The walk as far as it has come.
#[derive(Default)]
struct Walk {
    survey: Survey,
    /// The smallest of the largest on top.
    top: BinaryHeap<Reverse<(Total, AccountId)>>,
    before: Option<AccountId>,
}

/// The last survey, and whether the next one is under way.
#[derive(Debug, Default)]
pub(crate) struct Surveys {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<(Instant, Arc<Survey>)>,
    is_under_way: bool,
}

impl Service {
    /// What all accounts come to, as of the last walk through them; `None` while the first one is under way.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn survey(self: &Arc<Service>) -> Result<Option<Arc<Survey>>, ReadError> {
        if !self.surveys().begin() {
            return Ok(self.surveys().last());
        }
        // Whoever hangs up must not leave a walk behind that nobody goes on with.
        let (service, mut walk) = (Arc::clone(self), Walk::begun(self.now()));
        let walking = tokio::spawn(async move {
            for _ in 0..SURVEY_PAGES_AT_ONCE {
                match walk.next_page(&service).await {
                    Ok(true) => {}
                    ended => return service.surveys().end(ended.map(|_| walk.finish())),
                }
            }
            tokio::spawn(go_on(Arc::clone(&service), walk));
            Ok(())
        });
        walking.await.expect("a walk does not panic")?;
        Ok(self.surveys().last())
    }
}

/// Goes on with a walk that is a long one.
async fn go_on(service: Arc<Service>, mut walk: Walk) {
    let ended = loop {
        let began = Instant::now();
        match walk.next_page(&service).await {
            Ok(true) => tokio::time::sleep(began.elapsed() * SURVEY_REST_TIMES).await,
            ended => break ended,
        }
    };
    if let Err(error) = service.surveys().end(ended.map(|_| walk.finish())) {
        tracing::warn!(%error, "the accounts could not be summed");
    }
}

impl Surveys {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no task panics while it holds the survey")
    }

    fn last(&self) -> Option<Arc<Survey>> {
        self.state().last.as_ref().map(|(_, survey)| Arc::clone(survey))
    }

    /// Whether a walk is to begin: none is under way, and the last one is no longer fresh.
    fn begin(&self) -> bool {
        let mut state = self.state();
        let fresh = Duration::from_millis(SURVEY_FRESH_MS);
        if state.is_under_way || state.last.as_ref().is_some_and(|(ended, _)| ended.elapsed() < fresh) {
            return false;
        }
        state.is_under_way = true;
        true
    }

    fn end(&self, ended: Result<Survey, ReadError>) -> Result<(), ReadError> {
        let mut state = self.state();
        state.is_under_way = false;
        state.last = Some((Instant::now(), Arc::new(ended?)));
        Ok(())
    }
}

impl Walk {
    fn begun(at: Timestamp) -> Walk {
        Walk { survey: Survey { at, ..Survey::default() }, ..Walk::default() }
    }

    /// Sums a page of accounts, and answers whether there are more.
    async fn next_page(&mut self, service: &Service) -> Result<bool, ReadError> {
        let span = Span { before: self.before.map(AccountId::bytes), count_max: SURVEY_PAGE_MAX };
        let page = service.reader().account_records(AccountFilter::default(), span).await?;
        let now = service.now();
        for record in &page.items {
            self.add(record, now);
        }
        self.before = page.items.last().map(|record| record.profile.id).or(self.before);
        Ok(page.has_more)
    }

    fn add(&mut self, record: &AccountRecord, now: Timestamp) {
        let account = settle(&record.account, now);
        let survey = &mut self.survey;
        let totals = account.totals;
        let spent = Total::from(totals.spent).less(totals.refunded);
        survey.granted = survey.granted.plus(totals.granted);
        survey.spent = survey.spent.plus_total(spent);
        survey.lapsed = survey.lapsed.plus(totals.expired).plus(totals.voided);
        self.top.push(Reverse((spent, account.id)));
        if self.top.len() > SURVEY_TOP_MAX {
            self.top.pop();
        }
        match account.status {
            AccountStatus::Closed => return,
            AccountStatus::Frozen => survey.frozen += 1,
            AccountStatus::Active => {}
        }
        survey.accounts += 1;
        survey.in_debt += u64::from(account.debt.is_positive());
        survey.debt = survey.debt.plus(account.debt);
        survey.available = survey.available.plus(account.balance.available).plus(account.debt);
        survey.held = survey.held.plus(account.balance.held);
        let soon = now.saturating_add_days(EXPIRING_WITHIN_DAYS);
        for lot in
            account.lots.iter().filter(|lot| lot.started && lot.expires_at.is_some_and(|at| at <= soon))
        {
            survey.expiring = survey.expiring.plus(lot.remaining);
        }
    }

    fn finish(self) -> Survey {
        let top = self.top.into_sorted_vec().into_iter().map(|Reverse((spent, id))| (id, spent));
        Survey { top: top.filter(|(_, spent)| *spent > Total::default()).collect(), ..self.survey }
    }
}
