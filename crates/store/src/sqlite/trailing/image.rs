//! Images: rows of accounts, lots, holds and keys as a batch left them, in bytes.
//!
//! An image is a row of its table, column by column in the order in which `rows` reads it, so that there is one meaning of
//! a row, wherever it is kept. Each column begins with a byte that says its type and, where it is short, its length: most
//! integers of a row are zero or small, and every batch pays for the bytes of its images.

use coffer_ledger::{Account, AccountId, Hold, Key, KeyId, Lot, Timestamp, Window};

use crate::rows::{self, Cells, Columns};

/// What a row is of, as its first byte says.
const ACCOUNT: u8 = b'a';
const LOT: u8 = b'l';
const HOLD: u8 = b'h';
const KEY: u8 = b'k';

const NULL: u8 = 0;
/// Eight bytes: as ledgers before this version have them.
const INTEGER: u8 = 1;
/// Four bytes of length before it.
const TEXT: u8 = 2;
const BYTES: u8 = 3;
/// An integer in 0 to 8 bytes, by how much more than this the byte is: the last ones of its little-endian form that only
/// repeat its sign are left out.
const SHORT_INTEGER: u8 = 16;
const SHORT_INTEGER_MAX: u8 = SHORT_INTEGER + 8;
/// Text and bytes of length 0 to [`SHORT_MAX`], by how much more than these the byte is.
const SHORT_TEXT: u8 = 64;
const SHORT_TEXT_MAX: u8 = SHORT_TEXT + SHORT_MAX;
const SHORT_BYTES: u8 = 128;
const SHORT_BYTES_MAX: u8 = SHORT_BYTES + SHORT_MAX;
const SHORT_MAX: u8 = 63;

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
        // One bit more than its digits take, for its sign; no byte at all for zero.
        let bits = i64::BITS - (integer ^ (integer >> (i64::BITS - 1))).leading_zeros();
        let count = if integer == 0 { 0 } else { bits as usize / 8 + 1 };
        self.bytes.push(SHORT_INTEGER + u8::try_from(count).expect("at most 8"));
        self.bytes.extend(&integer.to_le_bytes()[..count]);
        self
    }

    fn count(&mut self, count: u64) -> &mut Images {
        self.integer(i64::try_from(count).expect("numbers of entries fit a column"))
    }

    fn time(&mut self, time: Timestamp) -> &mut Images {
        self.integer(time.unix_ms())
    }

    fn text(&mut self, text: &str) -> &mut Images {
        self.sized(SHORT_TEXT, TEXT, text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Images {
        self.sized(SHORT_BYTES, BYTES, bytes)
    }

    fn sized(&mut self, short: u8, long: u8, bytes: &[u8]) -> &mut Images {
        match u8::try_from(bytes.len()) {
            Ok(length) if length <= SHORT_MAX => self.bytes.push(short + length),
            Ok(_) | Err(_) => {
                self.bytes.push(long);
                self.bytes
                    .extend(u32::try_from(bytes.len()).expect("a column is not that long").to_le_bytes());
            }
        }
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
        let [kind] = *take(bytes, 1)? else { return None };
        match kind {
            NULL => Some(Value::Null),
            INTEGER => integer(take(bytes, 8)?),
            SHORT_INTEGER..=SHORT_INTEGER_MAX => integer(take(bytes, (kind - SHORT_INTEGER).into())?),
            TEXT => text(sized(bytes)?),
            SHORT_TEXT..=SHORT_TEXT_MAX => text(take(bytes, (kind - SHORT_TEXT).into())?),
            BYTES => Some(Value::Bytes(sized(bytes)?)),
            SHORT_BYTES..=SHORT_BYTES_MAX => Some(Value::Bytes(take(bytes, (kind - SHORT_BYTES).into())?)),
            _ => None,
        }
    }
}

/// The integer of which these are the first bytes, and the others repeat its sign.
fn integer<'bytes>(bytes: &[u8]) -> Option<Value<'bytes>> {
    let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut whole = if is_negative { [0xff; 8] } else { [0; 8] };
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(Value::Integer(i64::from_le_bytes(whole)))
}

fn text(bytes: &[u8]) -> Option<Value<'_>> {
    std::str::from_utf8(bytes).ok().map(Value::Text)
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

#[cfg(test)]
mod tests {
    use super::{BYTES, Images, NULL, TEXT, Value};

    fn written(write: impl FnOnce(&mut Images)) -> Vec<u8> {
        let mut images = Images::default();
        write(&mut images);
        images.bytes
    }

    fn read_whole(mut bytes: &[u8]) -> Value<'_> {
        let value = Value::read(&mut bytes).expect("a value");
        assert!(bytes.is_empty(), "nothing is left of it");
        value
    }

    #[test]
    fn an_integer_takes_the_bytes_that_it_needs_and_comes_back() {
        let powers = (0..63).map(|shift| 1_i64 << shift);
        let around = powers.flat_map(|power| [power - 1, power, power + 1, -power - 1, -power, 1 - power]);
        for integer in around.chain([0, i64::MAX, i64::MIN]) {
            let bytes = written(|images| {
                images.integer(integer);
            });
            assert!(matches!(read_whole(&bytes), Value::Integer(read) if read == integer), "{integer}");
            let count_max = if integer == 0 { 1 } else { 2 + integer.unsigned_abs().ilog2().div_ceil(8) };
            assert!(bytes.len() <= count_max as usize, "{integer} takes {} bytes", bytes.len());
        }
    }

    #[test]
    fn text_and_bytes_of_any_length_come_back() {
        for length in [0, 1, 63, 64, 65, 255, 256, 70_000] {
            let text = "é".repeat(length / 2) + &"a".repeat(length % 2);
            assert!(matches!(
                read_whole(&written(|images| {
                    images.text(&text);
                })),
                Value::Text(read) if read == text
            ));
            assert!(matches!(
                read_whole(&written(|images| {
                    images.bytes(text.as_bytes());
                })),
                Value::Bytes(read) if read == text.as_bytes()
            ));
        }
        assert!(matches!(
            read_whole(&written(|images| {
                images.null();
            })),
            Value::Null
        ));
    }

    /// Redo rows of a ledger that another version has left.
    #[test]
    fn columns_of_the_first_form_are_read() {
        let integer = [&[super::INTEGER][..], &(-7_i64).to_le_bytes()].concat();
        assert!(matches!(read_whole(&integer), Value::Integer(-7)));
        assert!(matches!(read_whole(&[TEXT, 2, 0, 0, 0, b'a', b'b']), Value::Text("ab")));
        assert!(matches!(read_whole(&[BYTES, 1, 0, 0, 0, 9]), Value::Bytes([9])));
        assert!(matches!(read_whole(&[NULL]), Value::Null));
    }

    #[test]
    fn what_is_cut_off_or_of_no_type_is_no_value() {
        for bytes in
            [&[][..], &[4], &[24, 1], &[64 + 3, b'a'], &[128 + 3, 1], &[192], &[255], &[TEXT, 9, 0, 0, 0]]
        {
            assert!(Value::read(&mut &*bytes).is_none(), "{bytes:?}");
        }
    }
}
