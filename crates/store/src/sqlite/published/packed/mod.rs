//! Accounts and keys in few bytes, as they lie in memory while nobody looks at them.
//!
//! Most accounts of a ledger are idle most of the time, and a process holds all of them. Amounts and times are written in as
//! many bytes as they need, and most amounts are zero; ids are left out where the reader brings them. Nothing of this is
//! ever written to a file, so its form may change with any version.

#[cfg(test)]
mod tests;

use coffer_ledger::{
    Account, AccountId, AccountStatus, Balance, Category, Credits, EntryHash, GrantId, Holds, Key, KeyId,
    KeyLimit, Lot, Period, Priority, RefundLot, RetiredSecret, SecretHash, Seq, Spent, Timestamp, Totals,
    Window,
};

/// An account without open holds, and without its id.
#[derive(Debug)]
pub(super) struct PackedAccount(Box<[u8]>);

/// A key without its id.
#[derive(Debug)]
pub(super) struct PackedKey(Box<[u8]>);

impl PackedAccount {
    /// # Panics
    /// With open holds.
    pub(super) fn of(account: &Account) -> PackedAccount {
        let Account {
            id: _,
            status,
            overdraft_limit,
            balance,
            debt,
            lots,
            holds,
            lots_made,
            refund_lot,
            seq,
            head,
            last_at,
            totals,
        } = account;
        assert!(holds.is_empty(), "open holds are not packed");
        let mut bytes = Bytes::new();
        bytes.number(seq.0).number(account.next_due().map_or(0, |due| due.unix_ms().cast_unsigned() + 1));
        bytes.byte(match status {
            AccountStatus::Active => 0,
            AccountStatus::Frozen => 1,
            AccountStatus::Closed => 2,
        });
        bytes.credits(*overdraft_limit).credits(balance.available).credits(balance.held).credits(*debt);
        bytes.number(u64::from(*lots_made)).raw(&head.0).time(*last_at);
        let Totals { granted, adjusted, refunded, spent, expired, voided } = totals;
        bytes.credits(*granted).credits(*adjusted).credits(*refunded);
        bytes.credits(*spent).credits(*expired).credits(*voided);
        bytes.option(refund_lot.as_ref(), |bytes, lot| {
            bytes.time(lot.day).raw(&lot.grant_id.bytes());
        });
        lots.iter().for_each(|lot| bytes.lot(lot));
        PackedAccount(bytes.boxed())
    }

    /// The number of the account's last entry.
    pub(super) fn seq(&self) -> Seq {
        Seq(Unpacked(&self.0).number())
    }

    /// When something next falls due on the account.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let mut bytes = Unpacked(&self.0);
        let (_, due) = (bytes.number(), bytes.number());
        let ms = due.checked_sub(1)?;
        Some(Timestamp::from_unix_ms(ms.cast_signed()).expect(WHOLE))
    }

    /// The account, which has this id.
    pub(super) fn unpack(&self, id: AccountId) -> Account {
        let mut bytes = Unpacked(&self.0);
        let (seq, _) = (Seq(bytes.number()), bytes.number());
        let status = match bytes.byte() {
            0 => AccountStatus::Active,
            1 => AccountStatus::Frozen,
            _ => AccountStatus::Closed,
        };
        let (overdraft_limit, available) = (bytes.credits(), bytes.credits());
        let (held, debt) = (bytes.credits(), bytes.credits());
        let lots_made = u32::try_from(bytes.number()).expect(WHOLE);
        let (head, last_at) = (EntryHash(bytes.raw()), bytes.time());
        let totals = Totals {
            granted: bytes.credits(),
            adjusted: bytes.credits(),
            refunded: bytes.credits(),
            spent: bytes.credits(),
            expired: bytes.credits(),
            voided: bytes.credits(),
        };
        let refund_lot =
            bytes.option(|bytes| RefundLot { day: bytes.time(), grant_id: GrantId::from_bytes(bytes.raw()) });
        let mut lots = Vec::new();
        while !bytes.0.is_empty() {
            lots.push(bytes.lot());
        }
        Account {
            id,
            status,
            overdraft_limit,
            balance: Balance { available, held },
            debt,
            lots,
            holds: Holds::default(),
            lots_made,
            refund_lot,
            seq,
            head,
            last_at,
            totals,
        }
    }
}

impl PackedKey {
    pub(super) fn of(key: &Key) -> PackedKey {
        let Key { id: _, account_id, secret, retired, disabled, revoked_at, expires_at, limit, spent } = key;
        let mut bytes = Bytes::new();
        bytes.raw(secret.bytes()).raw(&account_id.bytes()).byte(u8::from(*disabled));
        bytes.option(revoked_at.as_ref(), |bytes, at| {
            bytes.time(*at);
        });
        bytes.option(expires_at.as_ref(), |bytes, at| {
            bytes.time(*at);
        });
        bytes.option(limit.as_ref(), |bytes, limit| {
            bytes.credits(limit.credits).byte(match limit.period {
                Period::Day => 0,
                Period::Week => 1,
                Period::Month => 2,
                Period::Total => 3,
            });
        });
        for window in [spent.day, spent.week, spent.month, spent.total] {
            bytes.time(window.starts_at).credits(window.credits);
        }
        for retired in retired {
            bytes.raw(retired.secret.bytes()).time(retired.until);
        }
        PackedKey(bytes.boxed())
    }

    /// The key, which has this id.
    pub(super) fn unpack(&self, id: KeyId) -> Key {
        let mut bytes = Unpacked(&self.0);
        let (secret, account_id) = (bytes.secret(), AccountId::from_bytes(bytes.raw()));
        let disabled = bytes.byte() == 1;
        let (revoked_at, expires_at) = (bytes.option(Unpacked::time), bytes.option(Unpacked::time));
        let limit = bytes.option(|bytes| KeyLimit {
            credits: bytes.credits(),
            period: match bytes.byte() {
                0 => Period::Day,
                1 => Period::Week,
                2 => Period::Month,
                _ => Period::Total,
            },
        });
        let mut window = || Window { starts_at: bytes.time(), credits: bytes.credits() };
        let spent = Spent { day: window(), week: window(), month: window(), total: window() };
        let mut retired = Vec::new();
        while !bytes.0.is_empty() {
            retired.push(RetiredSecret { secret: bytes.secret(), until: bytes.time() });
        }
        Key { id, account_id, secret, retired, disabled, revoked_at, expires_at, limit, spent }
    }
}

/// Why reading never fails: only what was written by the functions beside it is read.
const WHOLE: &str = "what was packed is read as it was written";

struct Bytes(Vec<u8>);

impl Bytes {
    /// With room for what most need.
    fn new() -> Bytes {
        Bytes(Vec::with_capacity(256))
    }

    fn byte(&mut self, byte: u8) -> &mut Bytes {
        self.0.push(byte);
        self
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Bytes {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Seven bits a byte, the lowest first; all but the last byte have the eighth.
    fn number(&mut self, mut number: u64) -> &mut Bytes {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.byte(number.to_le_bytes()[0])
    }

    /// The sign in the lowest bit, so that a small amount is a small number on either side of zero.
    fn credits(&mut self, credits: Credits) -> &mut Bytes {
        let millionths = credits.millionths();
        self.number((millionths << 1 ^ millionths >> (i64::BITS - 1)).cast_unsigned())
    }

    fn time(&mut self, time: Timestamp) -> &mut Bytes {
        self.number(time.unix_ms().cast_unsigned())
    }

    fn option<Value>(&mut self, value: Option<&Value>, write: impl FnOnce(&mut Bytes, &Value)) -> &mut Bytes {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    fn lot(&mut self, lot: &Lot) {
        let Lot {
            grant_id,
            order,
            category,
            priority,
            effective_at,
            expires_at,
            granted,
            remaining,
            held,
            expired,
            started,
            held_when_voided,
        } = lot;
        self.raw(&grant_id.bytes()).number(u64::from(*order));
        self.byte(match category {
            Category::Paid => 0,
            Category::Promotional => 1,
        });
        self.byte(priority.get()).time(*effective_at);
        self.option(expires_at.as_ref(), |bytes, at| {
            bytes.time(*at);
        });
        self.credits(*granted).credits(*remaining).credits(*held).credits(*expired).byte(u8::from(*started));
        self.option(held_when_voided.as_ref(), |bytes, held| {
            bytes.credits(*held);
        });
    }

    /// A copy, for an allocator may leave what is cut shorter in a piece of the size that it had.
    fn boxed(&self) -> Box<[u8]> {
        Box::from(&*self.0)
    }
}

/// What is left to be read.
struct Unpacked<'bytes>(&'bytes [u8]);

impl Unpacked<'_> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().expect(WHOLE);
        self.0 = rest;
        *byte
    }

    fn raw<const COUNT: usize>(&mut self) -> [u8; COUNT] {
        let (bytes, rest) = self.0.split_first_chunk().expect(WHOLE);
        self.0 = rest;
        *bytes
    }

    fn secret(&mut self) -> SecretHash {
        SecretHash::from_bytes(self.raw())
    }

    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    fn credits(&mut self) -> Credits {
        let number = self.number();
        let millionths = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
        Credits::from_millionths(millionths).expect(WHOLE)
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_unix_ms(self.number().cast_signed()).expect(WHOLE)
    }

    fn option<Value>(&mut self, read: impl FnOnce(&mut Self) -> Value) -> Option<Value> {
        (self.byte() == 1).then(|| read(self))
    }

    fn lot(&mut self) -> Lot {
        Lot {
            grant_id: GrantId::from_bytes(self.raw()),
            order: u32::try_from(self.number()).expect(WHOLE),
            category: if self.byte() == 0 { Category::Paid } else { Category::Promotional },
            priority: Priority::new(self.byte()).expect(WHOLE),
            effective_at: self.time(),
            expires_at: self.option(Unpacked::time),
            granted: self.credits(),
            remaining: self.credits(),
            held: self.credits(),
            expired: self.credits(),
            started: self.byte() == 1,
            held_when_voided: self.option(Unpacked::credits),
        }
    }
}
