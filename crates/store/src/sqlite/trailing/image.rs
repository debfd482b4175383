//! Images: rows of accounts, lots, holds and keys as a batch left them, in bytes.
//!
//! An image is a row of its table, column by column in the order in which `rows` reads it, so that there is one meaning of
//! a row, wherever it is kept.

use coffer_ledger::{Account, AccountId, Hold, Key, KeyId, Lot, Timestamp, Window};

use crate::rows::{self, Cells, Columns};

/// What a row is of, as its first byte says.
const ACCOUNT: u8 = b'a';
const LOT: u8 = b'l';
const HOLD: u8 = b'h';
const KEY: u8 = b'k';

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;

/// A row as it stands.
#[derive(Debug)]
pub(super) enum Image {
    /// An account, without its lots and holds.
    Account(Account),
    /// A lot of an account.
    Lot(AccountId, Lot),
    Hold(Hold),
    /// A key, without its retired secrets.
    Key(Key),
}

/// Rows, one after the other.
#[derive(Debug, Default)]
pub(super) struct Images {
    bytes: Vec<u8>,
}

impl Images {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn account(&mut self, account: &Account) {
        let totals = &account.totals;
        self.row(ACCOUNT, 18)
            .bytes(&account.id.bytes())
            .text(rows::account_status(account.status))
            .integer(account.overdraft_limit.millionths())
            .integer(account.balance.available.millionths())
            .integer(account.balance.held.millionths())
            .integer(account.debt.millionths())
            .integer(account.lots_made.into())
            .optional_time(account.refund_lot.map(|lot| lot.day))
            .optional_bytes(
                account.refund_lot.map(|lot| lot.grant_id.bytes()).as_ref().map(<[u8; 16]>::as_slice),
            )
            .count(account.seq.0)
            .bytes(&account.head.0)
            .time(account.last_at)
            .integer(totals.granted.millionths())
            .integer(totals.adjusted.millionths())
            .integer(totals.refunded.millionths())
            .integer(totals.spent.millionths())
            .integer(totals.expired.millionths())
            .integer(totals.voided.millionths());
    }

    pub(super) fn lot(&mut self, account_id: AccountId, lot: &Lot) {
        self.row(LOT, 13)
            .bytes(&account_id.bytes())
            .bytes(&lot.grant_id.bytes())
            .integer(lot.order.into())
            .text(lot.category.as_str())
            .integer(lot.priority.get().into())
            .time(lot.effective_at)
            .optional_time(lot.expires_at)
            .integer(lot.granted.millionths())
            .integer(lot.remaining.millionths())
            .integer(lot.held.millionths())
            .integer(lot.expired.millionths())
            .integer(lot.started.into())
            .optional_integer(lot.held_when_voided.map(coffer_ledger::Credits::millionths));
    }

    pub(super) fn hold(&mut self, hold: &Hold) {
        let priced = hold.priced.as_ref();
        self.row(HOLD, 13)
            .bytes(&hold.id.bytes())
            .bytes(&hold.account_id.bytes())
            .count(hold.seq.0)
            .optional_bytes(hold.key_id.map(KeyId::bytes).as_ref().map(<[u8; 16]>::as_slice))
            .optional_text(priced.map(|priced| priced.operation.as_str()))
            .optional_integer(priced.map(|priced| priced.quantity.amount().millionths()))
            .optional_text(priced.map(|priced| priced.rate.to_string()).as_deref())
            .integer(hold.credits.millionths())
            .integer(hold.captured.millionths())
            .bytes(&rows::held_lots(&hold.lots))
            .text(rows::hold_status(hold.status))
            .time(hold.created_at)
            .time(hold.expires_at);
    }

    pub(super) fn key(&mut self, key: &Key) {
        let window = |row: &mut Images, window: &Window| {
            row.time(window.starts_at).integer(window.credits.millionths());
        };
        let row = self.row(KEY, 15);
        row.bytes(&key.id.bytes())
            .bytes(&key.account_id.bytes())
            .bytes(key.secret.bytes())
            .integer(key.disabled.into())
            .optional_time(key.revoked_at)
            .optional_time(key.expires_at)
            .optional_integer(key.limit.map(|limit| limit.credits.millionths()))
            .optional_text(key.limit.map(|limit| rows::period(limit.period)));
        window(row, &key.spent.day);
        window(row, &key.spent.week);
        window(row, &key.spent.month);
        row.integer(key.spent.total.credits.millionths());
    }

    fn row(&mut self, of: u8, columns: u8) -> &mut Images {
        self.bytes.extend([of, columns]);
        self
    }

    fn integer(&mut self, integer: i64) -> &mut Images {
        self.bytes.push(INTEGER);
        self.bytes.extend(integer.to_le_bytes());
        self
    }

    fn count(&mut self, count: u64) -> &mut Images {
        self.integer(i64::try_from(count).expect("numbers of entries fit a column"))
    }

    fn time(&mut self, time: Timestamp) -> &mut Images {
        self.integer(time.unix_ms())
    }

    fn text(&mut self, text: &str) -> &mut Images {
        self.bytes.push(TEXT);
        self.sized(text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Images {
        self.bytes.push(BYTES);
        self.sized(bytes)
    }

    fn sized(&mut self, bytes: &[u8]) -> &mut Images {
        let length = u32::try_from(bytes.len()).expect("a column is short");
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(bytes);
        self
    }

    fn optional_integer(&mut self, integer: Option<i64>) -> &mut Images {
        match integer {
            Some(integer) => self.integer(integer),
            None => self.null(),
        }
    }

    fn optional_time(&mut self, time: Option<Timestamp>) -> &mut Images {
        self.optional_integer(time.map(Timestamp::unix_ms))
    }

    fn optional_text(&mut self, text: Option<&str>) -> &mut Images {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    fn optional_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Images {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.null(),
        }
    }

    fn null(&mut self) -> &mut Images {
        self.bytes.push(NULL);
        self
    }
}

/// Reads images back, one after the other.
pub(super) fn each(mut bytes: &[u8], mut take: impl FnMut(Image)) -> Result<(), String> {
    while !bytes.is_empty() {
        let (of, row) = Row::read(&mut bytes).ok_or("an image is cut off")?;
        let mut columns = Columns::of(&row);
        let image = match of {
            ACCOUNT => rows::account(&mut columns).map(Image::Account),
            LOT => rows::account_id(&mut columns)
                .and_then(|account_id| Ok(Image::Lot(account_id, rows::lot(&mut columns)?))),
            HOLD => rows::hold(&mut columns).map(Image::Hold),
            KEY => rows::key(&mut columns).map(Image::Key),
            _ => return Err(format!("an image is of {of}")),
        };
        take(image.map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// One value of a row.
enum Value<'bytes> {
    Null,
    Integer(i64),
    Text(&'bytes str),
    Bytes(&'bytes [u8]),
}

struct Row<'bytes>(Vec<Value<'bytes>>);

impl<'bytes> Row<'bytes> {
    fn read(bytes: &mut &'bytes [u8]) -> Option<(u8, Row<'bytes>)> {
        let [of, columns] = *take(bytes, 2)? else { return None };
        let row: Option<Vec<_>> = (0..columns).map(|_| Value::read(bytes)).collect();
        Some((of, Row(row?)))
    }
}

impl<'bytes> Value<'bytes> {
    fn read(bytes: &mut &'bytes [u8]) -> Option<Value<'bytes>> {
        match take(bytes, 1)? {
            [NULL] => Some(Value::Null),
            [INTEGER] => Some(Value::Integer(i64::from_le_bytes(take(bytes, 8)?.try_into().ok()?))),
            [TEXT] => Some(Value::Text(std::str::from_utf8(sized(bytes)?).ok()?)),
            [BYTES] => Some(Value::Bytes(sized(bytes)?)),
            _ => None,
        }
    }
}

fn sized<'bytes>(bytes: &mut &'bytes [u8]) -> Option<&'bytes [u8]> {
    let length = u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?);
    take(bytes, length.try_into().ok()?)
}

fn take<'bytes>(bytes: &mut &'bytes [u8], count: usize) -> Option<&'bytes [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

impl Cells for Row<'_> {
    fn integer(&self, index: usize) -> Result<Option<i64>, String> {
        match self.value(index)? {
            Value::Null => Ok(None),
            Value::Integer(integer) => Ok(Some(*integer)),
            Value::Text(_) | Value::Bytes(_) => Err("holds no integer".to_owned()),
        }
    }

    fn text(&self, index: usize) -> Result<Option<&str>, String> {
        match self.value(index)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Integer(_) | Value::Bytes(_) => Err("holds no text".to_owned()),
        }
    }

    fn bytes(&self, index: usize) -> Result<Option<&[u8]>, String> {
        match self.value(index)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            Value::Integer(_) | Value::Text(_) => Err("holds no bytes".to_owned()),
        }
    }
}

impl Row<'_> {
    fn value(&self, index: usize) -> Result<&Value<'_>, String> {
        self.0.get(index).ok_or_else(|| "is missing".to_owned())
    }
}
