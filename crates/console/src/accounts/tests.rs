use super::*;

const PASSWORD: &str = "mưa rơi trên phố Huế";

fn now() -> Timestamp {
    "2026-03-01T01:00:00Z".parse().unwrap()
}

fn with_lan() -> Accounts {
    let mut accounts = Accounts::default();
    accounts
        .add(
            ("lan", "Nguyễn Thị Lan"),
            OperatorRole::Operator,
            PASSWORD,
            now(),
        )
        .unwrap();
    accounts
}

#[test]
fn accounts_read_back_as_written() {
    let read = Accounts::parse(&with_lan().text()).unwrap();
    let lan = read.find("lan").unwrap();
    assert_eq!(lan.display_name, "Nguyễn Thị Lan");
    assert_eq!(lan.role, OperatorRole::Operator);
    assert_eq!(lan.created_at, now());
    assert!(passwords::verify(PASSWORD, lan.password_hash()));
    assert!(!passwords::verify(
        "mua roi tren pho Hue",
        lan.password_hash()
    ));
    assert!(!format!("{lan:?}").contains("argon2"));
}

#[test]
fn names_and_passwords_have_rules() {
    let mut accounts = with_lan();
    let refused = [
        (("lan", "Lan"), PASSWORD),
        (("Lan2", "Lan"), PASSWORD),
        (("l", "Lan"), PASSWORD),
        (("2lan", "Lan"), PASSWORD),
        (("hoa", " "), PASSWORD),
        (("hoa", "Hoa\nBinh"), PASSWORD),
        (("hoa", "Hoa"), "ngắn quá"),
        (("hoa.binh.minh", "Hoa"), "hoa.binh.minh"),
        (("hoa", "Hoa"), "aaaaaaaaaaaa"),
    ];
    for (names, password) in refused {
        let added = accounts.add(names, OperatorRole::Viewer, password, now());
        assert!(added.is_err(), "{names:?} {password}");
    }
    assert_eq!(accounts.len(), 1);
}

#[test]
fn a_faulty_file_names_every_fault_and_no_hash() {
    let good = with_lan().text();
    let block = good.split("[[account]]").nth(1).unwrap();
    let twice = format!("[[account]]{block}[[account]]{block}");
    assert_eq!(Accounts::parse(&twice).unwrap_err(), ["lan: listed twice"]);
    let plain = "[[account]]\nname = 'lan'\ndisplay_name = 'Lan'\nrole = 'viewer'\npassword = 'bí mật'\ncreated_at = '2026-03-01T01:00:00Z'\n";
    let faults = Accounts::parse(plain).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(!faults[0].contains("bí mật"), "{faults:?}");
    assert!(Accounts::parse("[[account]]\nnom = 1").is_err());
}

#[test]
fn a_file_that_could_not_be_read_is_tried_again_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    std::fs::write(&path, with_lan().text()).unwrap();
    let following = Following::start(path.clone()).unwrap();
    // A folder has a stamp and cannot be read; unlike a forbidden file, not by root either.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(following.now().find("lan").is_some());
    assert!(following.reads_again());
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, Accounts::default().text()).unwrap();
    assert!(following.now().is_empty());
    assert!(!following.reads_again());
}

#[test]
fn the_file_stays_its_owners_when_root_changes_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    std::fs::write(&path, with_lan().text()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // Only root can give files away; others find their own file theirs.
    let is_given = chown(&path, Some(4_321), Some(8_765)).is_ok();
    let owner = |name: &str| {
        let data = std::fs::metadata(folder.path().join(name)).unwrap();
        (data.uid(), data.gid(), data.mode() & 0o077)
    };
    let (user, group, _) = owner("accounts.toml");
    assert_eq!(is_given, user == 4_321);
    Accounts::edit(&path, |accounts| {
        accounts.set_role("lan", OperatorRole::Viewer)
    })
    .unwrap();
    for name in ["accounts.toml", "accounts.toml.lock"] {
        let (found, _, others) = owner(name);
        assert_eq!((found, others), (user, 0), "{name}");
    }
    // Where a group was let in, it stays in.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    Accounts::edit(&path, |_| Ok(())).unwrap();
    assert_eq!(owner("accounts.toml"), (user, group, 0o040));
    let read = Accounts::read(&path).unwrap();
    assert_eq!(read.find("lan").unwrap().role, OperatorRole::Viewer);
}

#[test]
fn the_file_is_this_users_only_and_is_followed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    let following = Following::start(path.clone()).unwrap();
    assert!(following.now().is_empty());

    Accounts::edit(&path, |accounts| {
        accounts.add(("lan", "Lan"), OperatorRole::Viewer, PASSWORD, now())
    })
    .unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        following.now().find("lan").unwrap().role,
        OperatorRole::Viewer
    );
    let stamp = following.now().find("lan").unwrap().stamp();

    Accounts::edit(&path, |accounts| {
        accounts.set_role("lan", OperatorRole::Approver)
    })
    .unwrap();
    assert_eq!(
        following.now().find("lan").unwrap().role,
        OperatorRole::Approver
    );
    assert!(following.now().find("lan").unwrap().stamp() == stamp);

    Accounts::edit(&path, |accounts| {
        accounts.set_password("lan", "một mật khẩu khác")
    })
    .unwrap();
    assert!(following.now().find("lan").unwrap().stamp() != stamp);

    std::fs::write(&path, "not accounts").unwrap();
    assert!(
        following.now().find("lan").is_some(),
        "a faulty file changes nothing"
    );
    assert!(
        Accounts::edit(&path, |_| Ok(())).is_err(),
        "and is not overwritten"
    );

    std::fs::remove_file(&path).unwrap();
    assert!(following.now().is_empty());
}
