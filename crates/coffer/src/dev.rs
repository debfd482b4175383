//! `coffer dev`: a server to play with, and what to paste to see it work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use coffer_ledger::limits::LINK_MS_MAX;
use coffer_ledger::{
    AccountId, Actor, Channel, Command, CreateKey, ExternalId, KeyId, Metadata, Name, Outcome,
};
use coffer_service::{AccountFilter, Clock, KeyPrefix, Secret, Service, Span, mint_id};
use coffer_store::DataDirectory;

use crate::Failure;
use crate::cli::Globals;
use crate::config::{Config, ServerOptions, read_secret};
use crate::ledger::Ledger;
use crate::sample::{self, SAMPLE_CREDITS, SAMPLE_EXTERNAL_ID};
use crate::serve::{Running, failed, refuse_client_options, runtime, start_log};
use crate::storage::Storage;
use crate::terminal::say;

pub(crate) fn run(globals: &Globals, options: ServerOptions) -> Result<(), Failure> {
    let config = Config::of(options, globals)?;
    refuse_client_options(globals)?;
    if !config.listen.ip().is_loopback() || config.operator_listen.is_some_and(|at| !at.ip().is_loopback()) {
        let message =
            "coffer dev serves loopback addresses only, for its sample key is printed; use coffer serve";
        return Err(Failure::Usage(message.to_owned()));
    }
    let kept = kept_data(&config)?;
    start_log(&config)?;
    // Held until the server has ended, and removed then.
    let (data, fresh) = match kept {
        Some(data) => (data, None),
        None => {
            let fresh = tempfile::Builder::new().prefix("coffer-dev-").tempdir().map_err(failed)?;
            (fresh.path().to_owned(), Some(fresh))
        }
    };
    let lasts = if fresh.is_some() { " (gone when this ends)" } else { "" };
    runtime(&config)?.block_on(async {
        fill(&data, &config.settings.key_prefix).await?;
        let running = Running::start(&config, &Storage::Embedded { data: data.clone() }).await?;
        let secret = make_key(&running.service, &config.settings.key_prefix).await?;
        let settings_page = make_link(&running).await?;
        let addresses = running.server.addresses();
        let (address, operator_address) = (addresses[0], addresses[addresses.len() - 1]);
        let operator_key = match &config.operator_key {
            Some(_) => "the one that COFFER_OPERATOR_KEY has".to_owned(),
            None => read_secret(&data.join("operator.key"))
                .unwrap_or_else(|_| "in the ledger already; its file is gone".to_owned()),
        };
        let path = config.settings.product.balance_path();
        let header = &config.settings.api_key_header;
        let key = secret.expose();
        say(format_args!(
            "\
coffer is listening on http://{address}

A sample account has {SAMPLE_CREDITS} credits. Ask for them:

  curl -X POST http://{address}{path} -H '{header}: {key}'

API Key Settings {settings_page}
Customer's key   {key}
Operator key     {operator_key}
Balance          http://{address}{path}
Console          http://{operator_address}/console
Operator API     http://{operator_address}/v1/accounts
Documentation    http://{address}/docs
OpenAPI          http://{address}/openapi.json
Data             {}{lasts}",
            data.display()
        ));
        running.until_told_to_end().await
    })
}

/// The data directory that was asked for.
fn kept_data(config: &Config) -> Result<Option<PathBuf>, Failure> {
    match &config.storage {
        None => Ok(None),
        Some(Storage::Embedded { data }) => Ok(Some(data.clone())),
        Some(Storage::Postgres { .. }) => Err(Failure::Usage(
            "coffer dev plays with a ledger in a directory; for one in a database use coffer serve"
                .to_owned(),
        )),
    }
}

/// Opens the ledger of a directory once before it is served, and lets a month pass in it, where it has no sample account yet.
async fn fill(data: &Path, prefix: &KeyPrefix) -> Result<(), Failure> {
    let directory = DataDirectory::lock(data).map_err(failed)?;
    let ledger = Ledger::in_directory(directory)?;
    let now = ledger.now();
    let clock = Arc::new(AtomicI64::new(now.unix_ms()));
    let service = ledger.start_under(Clock::Set(Arc::clone(&clock)));
    let filled = match find_sample(&service).await? {
        Some(_) => Ok(()),
        None => sample::fill(&service, &clock, now, prefix).await,
    };
    service.close().await;
    filled
}

/// Makes a new key for the sample account: nobody knows the secrets of the others.
async fn make_key(service: &Service, prefix: &KeyPrefix) -> Result<Secret, Failure> {
    let account_id = find_sample(service).await?;
    let account_id = account_id.ok_or_else(|| Failure::Failed("the sample account is gone".to_owned()))?;
    let secret = Secret::generate(prefix);
    let key = CreateKey {
        id: KeyId::from_bytes(mint_id(account_id.bucket())),
        account_id,
        name: Name::try_from("sample key".to_owned()).expect("a short text"),
        secret: secret.hash(),
        hint: secret.hint(prefix),
        expires_at: None,
        limit: None,
        metadata: Metadata::default(),
    };
    match service.submit(Command::CreateKey(key)).await.map_err(failed)? {
        Outcome::KeyCreated(_) => Ok(secret),
        other => Err(Failure::Failed(format!("the sample key was not made: {other:?}"))),
    }
}

/// A link to the sample account's own page. It works once, within a day.
async fn make_link(running: &Running) -> Result<String, Failure> {
    let account_id = find_sample(&running.service).await?;
    let account_id = account_id.ok_or_else(|| Failure::Failed("the sample account is gone".to_owned()))?;
    let newest = Span { before: None, count_max: 100 };
    let keys = running.service.reader().operator_keys(newest).await.map_err(failed)?.items;
    let live = keys.iter().find(|key| key.revoked_at.is_none());
    let by = live.map_or(Actor::ConfiguredKey, |key| Actor::OperatorKey(key.id));
    let offered = running.service.offer_session(account_id, LINK_MS_MAX, None, (by, Channel::Api)).await;
    match offered.map_err(failed)? {
        Ok((token, _)) => Ok(running.server.portal_link(&token)),
        Err(refusal) => Err(Failure::Failed(format!("the link was not made: {refusal:?}"))),
    }
}

async fn find_sample(service: &Service) -> Result<Option<AccountId>, Failure> {
    let external_id = Some(sample_external_id());
    let filter = AccountFilter { external_id, status: None };
    let page = service.reader().account_records(filter, Span { before: None, count_max: 1 }).await;
    Ok(page.map_err(failed)?.items.first().map(|record| record.profile.id))
}

fn sample_external_id() -> ExternalId {
    ExternalId::try_from(SAMPLE_EXTERNAL_ID.to_owned()).expect("a short text")
}
