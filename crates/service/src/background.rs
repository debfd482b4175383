//! What happens without anybody asking: quiet accounts are settled, the uses of keys are written, old refusals
//! are forgotten.

use std::sync::Arc;
use std::time::Duration;

use coffer_ledger::limits::REFUSAL_REMEMBERED_MS_MIN;
use coffer_ledger::{Command, Settle, Timestamp};

use crate::limits::{
    FORGET_EVERY_MS, NOTE_USES_EVERY_MS, NOTE_USES_OVER_MS, SETTLE_ACCOUNTS_MAX, SETTLE_EVERY_MS,
};
use crate::service::Service;

/// Starts the tasks. They end when they are dropped.
pub(crate) fn start(service: &Arc<Service>) -> tokio::task::JoinSet<()> {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(settle_quiet_accounts(Arc::clone(service)));
    tasks.spawn(forget_refusals(Arc::clone(service)));
    tasks.spawn(note_key_uses(Arc::clone(service)));
    tasks
}

async fn settle_quiet_accounts(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(SETTLE_EVERY_MS));
    loop {
        ticks.tick().await;
        while settle_some(&service).await > 0 {}
    }
}

/// Settles up to a batch of accounts, and answers how many.
async fn settle_some(service: &Service) -> usize {
    let due = match service.reader().accounts_due(service.now(), SETTLE_ACCOUNTS_MAX).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "accounts that have fallen due could not be read");
            return 0;
        }
    };
    if due.is_empty() {
        return 0;
    }
    let count = due.len();
    let commands = due.into_iter().map(|account_id| Command::Settle(Settle { account_id })).collect();
    match service.submit_all(commands).await {
        Ok(_) => count,
        Err(error) => {
            tracing::warn!(%error, "accounts that have fallen due could not be settled");
            0
        }
    }
}

async fn note_key_uses(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(NOTE_USES_EVERY_MS));
    loop {
        ticks.tick().await;
        service.write_key_uses(Duration::from_millis(NOTE_USES_OVER_MS)).await;
    }
}

async fn forget_refusals(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(FORGET_EVERY_MS));
    loop {
        ticks.tick().await;
        let before = service.now().unix_ms() - REFUSAL_REMEMBERED_MS_MIN;
        let Some(before) = Timestamp::from_unix_ms(before) else { continue };
        if let Err(error) = service.store().forget_refusals(before).await {
            tracing::warn!(%error, "old refusals could not be forgotten");
        }
    }
}
