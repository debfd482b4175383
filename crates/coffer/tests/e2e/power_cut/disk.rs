//! What a disk has when the power fails.

use rand::RngExt as _;
use rand::rngs::SmallRng;

use super::calls::{Call, What};

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// One file. What has been synced is there. What was written since may be there or not, sector by sector.
pub(super) struct Disk<'calls> {
    durable: Vec<u8>,
    /// Calls on the file that have begun, and may not be durable.
    pending: Vec<&'calls Call>,
    /// Those that come after them.
    later: &'calls [Call],
    file: usize,
    /// Sectors that were written and lost, of all cuts.
    pub(super) lost: usize,
}

impl<'calls> Disk<'calls> {
    /// The file of that number, which was `durable` before any of the calls.
    pub(super) fn new(file: usize, durable: Vec<u8>, calls: &'calls [Call]) -> Disk<'calls> {
        Disk { durable, pending: Vec::new(), later: calls, file, lost: 0 }
    }

    /// What is found after a power failure at that time, which is none before that of the last one. Of what is not durable, a sector
    /// was written with this probability.
    pub(super) fn cut(&mut self, at: u64, written: f64, random: &mut SmallRng) -> Vec<u8> {
        self.proceed(at);
        let mut found = self.durable.clone();
        for call in &self.pending {
            let mut chunk = |found: &mut Vec<u8>, place: usize, bytes: &[u8]| {
                if random.random_bool(written) {
                    put(found, place, bytes);
                } else {
                    self.lost += 1;
                }
            };
            match &call.what {
                What::Write { offset, bytes } => {
                    let mut rest = bytes.as_slice();
                    let mut place = *offset;
                    while !rest.is_empty() {
                        let to_the_border = SECTOR_BYTES - place % SECTOR_BYTES;
                        let (sector, more) = rest.split_at(to_the_border.min(rest.len()));
                        chunk(&mut found, place, sector);
                        place += sector.len();
                        rest = more;
                    }
                }
                What::Resize(length) => {
                    if random.random_bool(written) {
                        found.resize(*length, 0);
                    }
                }
                What::Sync => {}
            }
        }
        found
    }

    fn proceed(&mut self, at: u64) {
        let count = self.later.partition_point(|call| call.begun <= at);
        let (begun, later) = self.later.split_at(count);
        self.pending.extend(begun.iter().filter(|call| call.file == self.file));
        self.later = later;
        let syncs = self.pending.iter().filter(|call| matches!(call.what, What::Sync) && call.ended <= at);
        let Some(synced) = syncs.map(|call| call.begun).max() else { return };
        self.pending.retain(|call| {
            if call.ended > synced {
                // A sync that is over has done what it can, and one that is not comes to an end later.
                return !matches!(call.what, What::Sync) || call.ended > at;
            }
            match &call.what {
                What::Write { offset, bytes } => put(&mut self.durable, *offset, bytes),
                What::Resize(length) => self.durable.resize(*length, 0),
                What::Sync => {}
            }
            false
        });
    }
}

fn put(file: &mut Vec<u8>, place: usize, bytes: &[u8]) {
    let end = place + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[place..end].copy_from_slice(bytes);
}
