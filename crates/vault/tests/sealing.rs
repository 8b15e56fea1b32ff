//! What is sealed comes back, and nothing else does.

use lienthong_vault::{Aad, DataKey, KeyRing, SEALED_BYTES_MORE, Vault, VaultError, WrappedKey};
use proptest::prelude::*;

const OWNER: &str = "dossier/H21.17-250701-0001";
const PLACE: Aad = Aad {
    table: "event",
    column: "progress",
    row: 7,
};
const NAME: &str = "Nguyễn Thị Ánh Tuyết";

/// Keys of the known answers: 32 bytes counted up from 0 (key 7) and from 64 (the index key).
const RING: &str = r#"
index_key = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="

[[key]]
id = 7
created = 2026-11-22T08:00:00Z
secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"#;

fn known() -> Vault {
    Vault::new(&KeyRing::parse(RING).expect("a ring without faults"))
}

/// Made with Python's `cryptography` 48.0.0 (AESGCM), `hmac` and `hashlib` from the layouts that
/// `wrapped.rs`, `data_key.rs` and `vault.rs` write down; the data key is 32 bytes counted up from 32.
#[test]
fn another_library_made_the_same_bytes() {
    let wrapped = hex::decode(
        "01000000070102030405060708090a0b0c25cb78f6c8b1d6a1648b496c3c3ec4077272d3cda35866f29966c31fa28b\
         48faa1a00183ff4ba70994ce83837cf6be23",
    )
    .unwrap();
    let sealed = hex::decode(
        "0165666768696a6b6c6d6e6f70dfc49c96682232d9a2a03b9e7337679ddd0895d94ca8a4696ad4db9be70d4cbcd97d\
         988fe127da7d337857",
    )
    .unwrap();
    let vault = known();
    let key = vault
        .unwrap(&WrappedKey::from_bytes(&wrapped).unwrap(), OWNER)
        .unwrap();
    assert_eq!(*key.open(PLACE, &sealed).unwrap(), NAME.as_bytes());

    let pseudonym = vault.pseudonym("citizen number", "052190001234");
    assert_eq!(pseudonym.to_string(), "dfb56c2728191e1df4b29d8fb4538a6b");
    let hash = hex::decode("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    let blind = vault.blind(&hash.unwrap().try_into().unwrap());
    assert_eq!(
        hex::encode(blind),
        "5b0b2ff53ae75fa518735082872add91b7013fa6f2efc5e08e8cb3621d827e0b"
    );
}

#[test]
fn every_flipped_bit_is_refused() {
    let vault = known();
    let key = DataKey::generate();
    let sealed = key.seal(PLACE, NAME.as_bytes());
    assert_eq!(sealed.len(), NAME.len() + SEALED_BYTES_MORE);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(PLACE, &changed).is_err(), "bit {bit}");
    }
    let wrapped = vault.wrap(&key, OWNER);
    for bit in 0..WrappedKey::BYTES * 8 {
        let mut changed = *wrapped.as_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = WrappedKey::from_bytes(&changed).and_then(|key| vault.unwrap(&key, OWNER));
        assert!(opened.is_err(), "bit {bit}");
    }
}

#[test]
fn a_cut_value_is_refused() {
    let key = DataKey::generate();
    let sealed = key.seal(PLACE, b"");
    for length in 0..sealed.len() {
        assert!(key.open(PLACE, &sealed[..length]).is_err(), "{length}");
    }
    assert!(key.open(PLACE, &sealed).unwrap().is_empty());
    assert!(WrappedKey::from_bytes(&[1; WrappedKey::BYTES - 1]).is_err());
}

#[test]
fn a_value_opens_at_its_place_only() {
    let key = DataKey::generate();
    let sealed = key.seal(PLACE, NAME.as_bytes());
    let elsewhere = [
        Aad { row: 8, ..PLACE },
        Aad {
            column: "offered",
            ..PLACE
        },
        Aad {
            table: "event_old",
            ..PLACE
        },
        // The same letters, divided otherwise.
        Aad {
            table: "eventp",
            column: "rogress",
            ..PLACE
        },
    ];
    for place in elsewhere {
        assert!(matches!(
            key.open(place, &sealed),
            Err(VaultError::Tampered)
        ));
    }
    assert!(DataKey::generate().open(PLACE, &sealed).is_err());
}

#[test]
fn a_key_unwraps_for_its_owner_under_its_ring_only() {
    let vault = known();
    let wrapped = vault.wrap(&DataKey::generate(), OWNER);
    assert!(matches!(
        vault.unwrap(&wrapped, "dossier/H21.17-250701-0002"),
        Err(VaultError::Tampered)
    ));
    let other = Vault::for_tests(1);
    assert!(matches!(
        other.unwrap(&wrapped, OWNER),
        Err(VaultError::UnknownKey(id)) if id.0 == 7
    ));
    let wrapped = other.wrap(&DataKey::generate(), OWNER);
    assert!(matches!(
        Vault::for_tests(2).unwrap(&wrapped, OWNER),
        Err(VaultError::Tampered)
    ));
    assert!(Vault::for_tests(1).unwrap(&wrapped, OWNER).is_ok());
}

#[test]
fn the_same_text_never_looks_the_same() {
    let key = DataKey::generate();
    assert_ne!(key.seal(PLACE, b"x"), key.seal(PLACE, b"x"));
    let vault = known();
    assert_ne!(vault.wrap(&key, OWNER), vault.wrap(&key, OWNER));
}

#[test]
fn nothing_secret_prints_itself() {
    let ring = KeyRing::parse(RING).unwrap();
    let vault = Vault::new(&ring);
    let key = DataKey::generate();
    let wrapped = vault.wrap(&key, OWNER);
    for printed in [
        format!("{ring:?}"),
        format!("{vault:?}"),
        format!("{key:?}"),
        format!("{wrapped:?}"),
    ] {
        // Secrets of the ring as base64, as hexadecimal and as a list.
        for part in ["AAEC", "QEFC", "000102", "404142", "0, 1, 2", "64, 65, 66"] {
            assert!(!printed.contains(part), "{printed}");
        }
        assert!(
            printed.contains("***") || printed.contains(".."),
            "{printed}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_sealed_comes_back(text in prop::collection::vec(any::<u8>(), 0..2_000), row: i64) {
        let key = DataKey::generate();
        let place = Aad { row, ..PLACE };
        let sealed = key.seal(place, &text);
        prop_assert_eq!(&*key.open(place, &sealed).unwrap(), &text);
    }

    #[test]
    fn a_wrapped_key_is_the_same_key(seed: u64, owner in "\\PC{0,40}") {
        let vault = Vault::for_tests(seed);
        let key = DataKey::generate();
        let wrapped = WrappedKey::from_bytes(vault.wrap(&key, &owner).as_bytes()).unwrap();
        prop_assert!(vault.wraps_under_current(&wrapped));
        let again = vault.unwrap(&wrapped, &owner).unwrap();
        prop_assert_eq!(&*again.open(PLACE, &key.seal(PLACE, b"x")).unwrap(), b"x");
    }

    #[test]
    fn pseudonyms_are_equal_for_equal_values_in_one_domain(
        number in "[0-9]{12}", other in "[0-9]{12}", cut in 0_usize..12,
    ) {
        let vault = Vault::for_tests(5);
        let one = vault.pseudonym("citizen number", &number);
        prop_assert_eq!(one, vault.pseudonym("citizen number", &number));
        prop_assert_eq!(one == vault.pseudonym("citizen number", &other), number == other);
        prop_assert_ne!(one, vault.pseudonym("phone", &number));
        prop_assert_ne!(one, Vault::for_tests(6).pseudonym("citizen number", &number));
        // A domain that swallows the first digits is another domain.
        let (head, tail) = number.split_at(cut);
        let shifted = vault.pseudonym(&format!("citizen number{head}"), tail);
        prop_assert_eq!(one == shifted, cut == 0);
    }
}
