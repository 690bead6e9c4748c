//! The hashes that Azure uses for names: `uniqueString`, `guid`, and the template hash.

use uuid::Uuid;

/// The namespace of the UUIDs that `guid()` computes.
const NAMESPACE: Uuid = Uuid::from_u128(0x11fb_06fb_712d_4ddd_98c7_e71b_bd58_8830);

/// `guid()` of the joined arguments.
pub(crate) fn guid(joined: &str) -> String {
    Uuid::new_v5(&NAMESPACE, joined.as_bytes()).to_string()
}

/// `uniqueString()` of the joined arguments: 13 characters.
pub(crate) fn unique_string(joined: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hash = hash64(joined.as_bytes());
    let mut out = String::with_capacity(13);
    for _ in 0..13 {
        out.push(ALPHABET.get((hash >> 59) as usize).copied().unwrap_or(b'a') as char);
        hash <<= 5;
    }
    out
}

/// The 64-bit hash: two 32-bit lanes in the manner of MurmurHash3, seed 0.
pub(crate) fn hash64(data: &[u8]) -> u64 {
    const C1: u32 = 0x239b_961b;
    const C2: u32 = 0xab0e_9789;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, b| (word << 8) | u32::from(*b));
    let first = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let second = |k: u32| k.wrapping_mul(C2).rotate_left(17).wrapping_mul(C1);
    let (mut h1, mut h2) = (0u32, 0u32);
    let mut blocks = data.chunks_exact(8);
    for block in &mut blocks {
        let (low, high) = block.split_at(4);
        h1 ^= first(word(low));
        h1 = h1.rotate_left(19).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x561c_cd1b);
        h2 ^= second(word(high));
        h2 = h2.rotate_left(13).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    let tail = blocks.remainder();
    if !tail.is_empty() {
        let (low, high) = tail.split_at(tail.len().min(4));
        h1 ^= first(word(low));
        if !high.is_empty() {
            h2 ^= second(word(high));
        }
    }
    let mix = |mut h: u32| {
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        h ^ (h >> 16)
    };
    h1 ^= data.len() as u32;
    h2 ^= data.len() as u32;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = mix(h1);
    h2 = mix(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (u64::from(h2) << 32) | u64::from(h1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors from independent places; they cover every length of the tail.
    #[test]
    fn unique_string_vectors() {
        for (joined, expected) in [
            ("foo-bar-baz", "xzi4ioaxtmth4"),
            ("snap-crackle-pop", "byghxckddilkc"),
            ("asd-asdf-asdf", "iizpqit7ih3cc"),
            ("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myRg", "js26ofeqkqeve"),
            ("/subscriptions/00000000-0000-0000-0000-000000000000-resource-id", "cwvxuqg24sifi"),
            ("fu", "6rkxbspxjmsho"),
            ("fubar", "cj2xpqsiwjfne"),
            ("fu-bar", "q5wxoscxs5j6k"),
            ("test", "rbgf3xv4ufgzg"),
            ("abc", "cgtzqvhu4i23s"),
            ("t", "fsnwonksnm7cy"),
            ("te", "o57ehhbytctgs"),
            ("tes", "ebse57jls4qbc"),
            ("hello-world", "a7wkljktk6wne"),
            ("tyeth", "zcztcwvu6iyg6"),
            ("aaa", "zavj67f3en4hc"),
            ("bbb", "w5eragfxe33cy"),
            ("zzz", "cryksdzzzawae"),
            ("xxx-yyy-zzz", "lghi7k5js7itq"),
            ("t-e", "d5ykh7yoidm2a"),
            ("test-test2-test3", "bqgd334z2uj64"),
            ("", "aaaaaaaaaaaaa"),
        ] {
            assert_eq!(unique_string(joined), expected, "{joined}");
        }
        assert_eq!(hash64(b"hello-world"), 571_013_382_255_652_050);
    }

    #[test]
    fn guid_vectors() {
        assert_eq!(guid("foo-bar-baz"), "2ed86837-7c7c-5eaa-9864-dd077fd19b0d");
        assert_eq!(guid("asdf"), "228d27cc-6fdb-5934-b7ac-1efccebade04");
        assert_eq!(guid(""), "e655a85f-3ab2-5e4a-9666-569aa72a5a10");
    }
}
