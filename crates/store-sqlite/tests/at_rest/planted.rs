//! What is planted in the dossiers, and the look for it in files.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use lienthong_domain::channel::IdentityDocumentKind;
use lienthong_domain::details::Identity;
use lienthong_domain::event::Progress;
use lienthong_domain::{DossierDetails, DossierStatus, Private, Text};
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{code, details, offer};
use lienthong_ports::store::Offer;
use lienthong_store_sqlite::SqliteStore;
use unicode_normalization::UnicodeNormalization as _;

/// Dossiers with planted names and numbers.
pub(crate) const DOSSIERS: u32 = 200;

fn private<const MAX: usize>(text: &str) -> Private<Text<MAX>> {
    Private::new(Text::parse(text).expect("text of this test"))
}

/// What is planted in one dossier: names, a citizen number, a telephone number, a note.
pub(crate) struct Person {
    name: String,
    officer: String,
    number: String,
    phone: String,
    note: String,
}

impl Person {
    pub(crate) fn of(dossier: u32) -> Self {
        let families = ["Nguyễn", "Trần", "Lê", "Phạm", "Đặng", "Rơ Châm"];
        let given = ["Ánh Tuyết", "Hoà Bình", "Quốc Khánh", "Thuý Vy"];
        let family = families[dossier as usize % families.len()];
        let given = given[dossier as usize / 7 % given.len()];
        Self {
            name: format!("{family} Thị {given} {dossier}"),
            officer: format!("Y Đôn Niê Kđăm {dossier}"),
            number: format!("0521900{dossier:05}"),
            phone: format!("09051{dossier:05}"),
            note: format!("Bổ sung giấy chứng sinh của bé thứ {dossier}"),
        }
    }

    /// An event that brings everything, and one that changes a part, so that merged details are stored too.
    pub(crate) fn offers(&self, dossier: u32) -> [Offer; 2] {
        let progress = Progress {
            officer_name: private(&self.officer),
            officer_title: None,
            unit_name: None,
            note: private(&self.note),
            started_at: None,
            due_at: None,
        };
        let all = DossierDetails {
            applicant_name: Some(private(&self.name)),
            identities: Some(vec![Identity {
                kind: IdentityDocumentKind::CitizenNumber,
                number: private(&self.number),
            }]),
            phone: Some(private(&self.phone)),
            ..details()
        };
        let part = DossierDetails {
            remark: Some(private(&self.note)),
            ..DossierDetails::default()
        };
        let status = DossierStatus::Processing;
        let offers = [
            offer(&format!("{dossier}/a"), &code(dossier), status, 0),
            offer(&format!("{dossier}/b"), &code(dossier), status, 1),
        ];
        let mut details = [Some(all), Some(part)].into_iter();
        offers.map(|mut offer| {
            offer.event.progress = Some(progress.clone());
            offer.event.details = details.next().flatten();
            offer.content_hash = offer.event.content_hash();
            offer
        })
    }

    pub(crate) fn planted(&self) -> [&str; 5] {
        [
            &self.name,
            &self.officer,
            &self.number,
            &self.phone,
            &self.note,
        ]
    }
}

/// What is planted and lies in the files of the folder all the same, in whichever form.
pub(crate) fn found_in_files(folder: &Path) -> Vec<String> {
    let planted: Vec<_> = (0..DOSSIERS)
        .flat_map(|dossier| Person::of(dossier).planted().map(forms))
        .flatten()
        .collect();
    let parts = planted.iter().map(String::as_bytes);
    let found = files(folder)
        .into_iter()
        .flat_map(|bytes| find(&bytes, parts.clone()));
    found
        .map(|part| String::from_utf8_lossy(&part).into_owned())
        .collect()
}

pub(crate) fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the folder of this test");
    entries
        .map(|entry| fs::read(entry.expect("an entry").path()).expect("a file"))
        .collect()
}

/// Those of `parts`, each of eight bytes or more, that lie in `bytes`; one pass for all of them.
pub(crate) fn find<'a>(bytes: &[u8], parts: impl Iterator<Item = &'a [u8]>) -> BTreeSet<Vec<u8>> {
    let mut by_head = HashMap::<[u8; 8], Vec<&[u8]>>::new();
    for part in parts {
        let head = *part.first_chunk().expect("eight bytes or more");
        by_head.entry(head).or_default().push(part);
    }
    let mut found = BTreeSet::new();
    for (start, head) in bytes.windows(8).enumerate() {
        for part in by_head.get(head).into_iter().flatten() {
            if bytes[start..].starts_with(part) {
                found.insert(part.to_vec());
            }
        }
    }
    found
}

/// As typed, decomposed, and in capitals.
fn forms(text: &str) -> [String; 4] {
    let upper = text.to_uppercase();
    [
        text.nfc().collect(),
        text.nfd().collect(),
        upper.nfc().collect(),
        upper.nfd().collect(),
    ]
}

/// Every dossier reads back what was planted in it.
pub(crate) async fn assert_readable(store: &SqliteStore) {
    for dossier in 0..DOSSIERS {
        let person = Person::of(dossier);
        let view = store.dossier(&code(dossier)).await.expect("dossier");
        let view = view.expect("known");
        let details = &view.details;
        let name = details
            .applicant_name
            .as_ref()
            .expect("planted")
            .expose()
            .as_str();
        let note = details.remark.as_ref().expect("planted").expose().as_str();
        assert_eq!((name, note), (person.name.as_str(), person.note.as_str()));
        for entry in store
            .timeline(&code(dossier), 0, 10)
            .await
            .expect("timeline")
        {
            let progress = entry.progress.expect("planted");
            assert_eq!(progress.officer_name.expose().as_str(), person.officer);
        }
    }
}

pub(crate) async fn plant(store: &SqliteStore) {
    for dossier in 0..DOSSIERS {
        let answers = store
            .accept(Person::of(dossier).offers(dossier).into())
            .await;
        for (answer, sequence) in answers.expect("accept").into_iter().zip(1..) {
            assert_eq!(answer.expect("accepted").sequence, sequence);
        }
    }
}
