//! The key file: made once, replaced in one step, readable by its owner only, faults named all at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lienthong_domain::{Clock, Timestamp};
use lienthong_vault::{DataKey, KEYS_MAX, KeyId, KeyRing, Vault, VaultError};
use tempfile::TempDir;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn clock() -> Clock {
    Clock::from_fn(|| Timestamp::from_second(1_795_334_400).expect("a second of 2026"))
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a private folder");
    let path = folder.path().join("keys.toml");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    let about = fs::metadata(path).expect("the file is there");
    about.permissions().mode() & 0o7777
}

#[test]
fn a_file_gives_back_the_ring_that_wrote_it() {
    let (folder, path) = folder();
    let mut ring = KeyRing::generate(&clock());
    ring.create(&path).unwrap();
    let key = DataKey::generate();
    let wrapped = Vault::new(&ring).wrap(&key, "dossier/x");
    assert_eq!(ring.rotate(&clock()).unwrap(), KeyId(2));
    ring.replace(&path).unwrap();

    let read = KeyRing::read(&path).unwrap();
    let ids: Vec<_> = read.keys().collect();
    let now = clock().now();
    assert_eq!(ids, [(KeyId(1), now), (KeyId(2), now)]);
    let vault = Vault::new(&read);
    assert_eq!(vault.current_key(), KeyId(2));
    assert!(!vault.wraps_under_current(&wrapped));
    vault.unwrap(&wrapped, "dossier/x").unwrap();
    assert_eq!(
        vault.pseudonym("citizen number", "052190001234"),
        Vault::new(&ring).pseudonym("citizen number", "052190001234"),
    );
    assert_eq!(mode(&path), 0o600);
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside the file");
}

#[test]
fn a_new_ring_never_takes_the_place_of_another() {
    let (folder, path) = folder();
    KeyRing::generate(&clock()).create(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = KeyRing::generate(&clock()).create(&path).unwrap_err();
    assert!(matches!(&refused, VaultError::Exists(_)), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_leftover_of_a_crash_is_replaced_and_its_rights_too() {
    let (_folder, path) = folder();
    let leftover = path.with_extension("toml.new");
    fs::write(&leftover, "index_key = ").unwrap();
    fs::set_permissions(&leftover, Permissions::from_mode(0o666)).unwrap();
    KeyRing::generate(&clock()).replace(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert!(!leftover.exists());
}

#[test]
fn a_file_that_others_may_use_is_refused_with_the_remedy() {
    let (_folder, path) = folder();
    KeyRing::generate(&clock()).create(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o700, 0o2600] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let text = KeyRing::read(&path).unwrap_err().to_string();
        assert!(text.contains("chmod 600"), "{mode:o}: {text}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        KeyRing::read(&path).unwrap();
    }
}

#[test]
fn keys_retire_once_others_took_over() {
    let mut ring = KeyRing::generate(&clock());
    assert!(matches!(
        ring.retire(KeyId(1)),
        Err(VaultError::CurrentKey(_))
    ));
    ring.rotate(&clock()).unwrap();
    ring.retire(KeyId(1)).unwrap();
    assert!(matches!(
        ring.retire(KeyId(1)),
        Err(VaultError::UnknownKey(_))
    ));
    assert_eq!(
        ring.rotate(&clock()).unwrap(),
        KeyId(3),
        "no id comes twice"
    );
    for _ in 2..KEYS_MAX {
        ring.rotate(&clock()).unwrap();
    }
    assert!(matches!(
        ring.rotate(&clock()),
        Err(VaultError::TooManyKeys)
    ));
}

#[test]
fn all_faults_are_named_and_no_value() {
    let text = r#"
        index_key = "c2VjcmV0LWluZGV4LWtleQ=="
        surprise = "c2VjcmV0LXN1cnByaXNl"

        [[key]]
        id = 0
        created = "gestern"
        secret = "c2VjcmV0LW9uZQ=="

        [[key]]
        id = 4
        created = 2026-11-22T08:00:00Z
        c2VjcmV0LXR3bw = 1
    "#;
    let faults = KeyRing::parse(text).unwrap_err();
    assert_eq!(
        faults.iter().collect::<Vec<_>>(),
        [
            "the file: `index_key` must be the base64 of 32 bytes, in quotes",
            "key entry 1: `id` must be a number from 1 to 4294967295",
            "key entry 1: `created` must be an instant like 2026-11-22T08:00:00Z",
            "key entry 1: `secret` must be the base64 of 32 bytes, in quotes",
            "key entry 2: `secret` must be the base64 of 32 bytes, in quotes",
            "key entry 2: unknown fields (1)",
            "the file: unknown fields (1)",
        ]
    );
}

#[test]
fn what_is_not_toml_is_not_quoted() {
    let faults = KeyRing::parse(&format!("# keys\nindex_key = {SECRET}\n")).unwrap_err();
    assert_eq!(faults.to_string(), "line 2: not TOML");
}

#[test]
fn keys_must_be_there_and_differ() {
    let index = format!("index_key = \"{SECRET}\"\n");
    let key = format!("[[key]]\nid = 3\ncreated = 2026-11-22T08:00:00Z\nsecret = \"{SECRET}\"\n");
    assert!(KeyRing::parse(&format!("{index}{key}")).is_ok());
    for (text, part) in [
        (index.clone(), "1 to 64 times"),
        (format!("{index}{}", key.repeat(65)), "1 to 64 times"),
        (
            format!("{index}{}", key.repeat(2)),
            "`id` 3 stands there twice",
        ),
        (format!("{index}key = [1]"), "not a table"),
        (key, "`index_key`"),
    ] {
        let faults = KeyRing::parse(&text).unwrap_err().to_string();
        assert!(faults.contains(part), "{faults}");
        assert!(!faults.contains(SECRET), "{faults}");
    }
}

#[test]
fn a_missing_or_endless_file_is_refused() {
    let (_folder, path) = folder();
    let text = KeyRing::read(&path).unwrap_err().to_string();
    assert!(text.contains("keys.toml"), "{text}");
    fs::write(&path, "#".repeat(70_000)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(KeyRing::read(&path), Err(VaultError::Read { .. })));
}
