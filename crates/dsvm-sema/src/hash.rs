//! A fast hash for names. Programs are not an attacker here: they are evaluated within budgets, and a table of names is
//! never larger than the project itself.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Makes hashers for names.
pub type FastState = BuildHasherDefault<FastHasher>;

/// A map by names or small ids.
pub type FastMap<K, V> = HashMap<K, V, FastState>;

/// A set of names or small ids.
pub type FastSet<K> = HashSet<K, FastState>;

/// Multiplies and rotates, eight bytes at a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastHasher(u64);

const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

impl FastHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.add(chunk.try_into().map(u64::from_le_bytes).unwrap_or(0));
        }
        let rest = chunks.remainder().iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        self.add(rest ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, value: u8) {
        self.add(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.add(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn finish(&self) -> u64 {
        // Low bits choose the bucket, and a product's low bits know only those of its factors: fold the high half in.
        let wide = u128::from(self.0) * u128::from(FACTOR);
        (wide >> 64) as u64 ^ wide as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher as _;

    #[test]
    fn names_that_differ_little_have_different_hashes() {
        let state = FastState::default();
        let names: Vec<String> = (0..10_000).map(|n| format!("pool_{n}")).collect();
        let low: FastSet<u64> = names.iter().map(|name| state.hash_one(name.as_str()) & 0xffff).collect();
        // 10,000 balls in 65,536 bins hit about 9,300 of them.
        assert!(low.len() > 8_500, "{}", low.len());
    }
}
