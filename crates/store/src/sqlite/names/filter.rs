//! Which names are not in a run, told without looking into the file.
//!
//! A filter of millions of names is larger than a processor's cache, and would be written all over for each name that is added.
//! So it is many filters, each of the digests of one range: names come sorted, and fill one after the other.

use fastbloom::BloomFilter;

use super::NameDigest;

/// About how many names a part is for: some hundred KiB.
const PART_NAMES: usize = if cfg!(test) { 8 } else { 131_072 };
/// How often it is not told that a name is not there.
const FALSE_POSITIVES: f64 = 0.001;

#[derive(Debug)]
pub(super) struct Filter {
    /// Those that a name has come to, or one behind it.
    parts: Vec<BloomFilter>,
    parts_max: usize,
    names_of_part: usize,
}

impl Filter {
    /// For so many names.
    pub(super) fn of(names: usize) -> Filter {
        let parts_max = names.div_ceil(PART_NAMES).max(1);
        Filter { parts: Vec::new(), parts_max, names_of_part: names.div_ceil(parts_max).max(1) }
    }

    pub(super) fn add(&mut self, name: NameDigest) {
        let place = self.place(name);
        while self.parts.len() <= place {
            let part = BloomFilter::with_false_pos(FALSE_POSITIVES).seed(&0);
            self.parts.push(part.expected_items(self.names_of_part));
        }
        self.parts[place].insert_hash(hash(name));
    }

    pub(super) fn may_have(&self, name: NameDigest) -> bool {
        self.parts.get(self.place(name)).is_some_and(|part| part.contains_hash(hash(name)))
    }

    fn place(&self, name: NameDigest) -> usize {
        let place = (u128::from(name.0) * self.parts_max as u128) >> u64::BITS;
        usize::try_from(place).expect("it is less than a number of parts")
    }
}

/// What is alike in the digests of a part comes last.
fn hash(name: NameDigest) -> u64 {
    name.0.rotate_left(u64::BITS / 2)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::{Filter, NameDigest};

    #[test]
    fn names_that_were_added_may_be_there_and_hardly_any_others() {
        let seed = rand::random();
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        for count in [1, 8, 9, 1_000, 50_000] {
            let mut names = Vec::from_iter((0..count).map(|_| random.random::<u64>()));
            names.sort_unstable();
            let mut filter = Filter::of(count);
            names.iter().for_each(|name| filter.add(NameDigest(*name)));
            assert!(names.iter().all(|name| filter.may_have(NameDigest(*name))));
            let told = (0..100_000).filter(|_| filter.may_have(NameDigest(random.random()))).count();
            // Parts are as small here as they never are otherwise, and some overfull.
            assert!(told < 2_000, "{told} of 100,000 names that are not there, beside {count}");
        }
    }

    #[test]
    fn digests_at_the_ends_have_a_part() {
        let mut filter = Filter::of(100);
        assert!(!filter.may_have(NameDigest(0)) && !filter.may_have(NameDigest(u64::MAX)));
        filter.add(NameDigest(u64::MAX));
        filter.add(NameDigest(0));
        assert!(filter.may_have(NameDigest(0)) && filter.may_have(NameDigest(u64::MAX)));
    }
}
