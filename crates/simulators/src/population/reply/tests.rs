use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use super::*;
use crate::population::Population;

const ENVELOPE_PREFIXES: [&str; 3] = ["soap", "S", ""];
const NAMESPACES: [Namespaces; 6] = [
    Namespaces::Default,
    Namespaces::Prefixed,
    Namespaces::OnEnvelope,
    Namespaces::Unqualified,
    Namespaces::OfRequest,
    Namespaces::Absent,
];

/// Local names and namespaces in order of their start, and all text; panics if not well formed.
fn read(xml: &str) -> (Vec<(String, Option<String>)>, String) {
    let mut reader = NsReader::from_str(xml);
    let (mut names, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_resolved_event().expect("well formed") {
            (namespace, Event::Start(start)) => {
                let namespace = match namespace {
                    ResolveResult::Bound(namespace) if !namespace.as_ref().is_empty() => {
                        Some(namespace.as_ref().to_owned())
                    }
                    ResolveResult::Unknown(prefix) => panic!("{prefix} is not declared"),
                    _ => None,
                };
                names.push((start.local_name().as_ref().to_owned(), namespace));
            }
            (_, Event::Text(part)) => text.push_str(&part),
            (_, Event::Eof) => return (names, text),
            _ => {}
        }
    }
}

fn layouts() -> impl Iterator<Item = Layout> {
    ENVELOPE_PREFIXES.into_iter().flat_map(|envelope_prefix| {
        NAMESPACES.into_iter().flat_map(move |namespaces| {
            [false, true].into_iter().map(move |is_indented| Layout {
                envelope_prefix,
                namespaces,
                is_indented,
                ..Layout::default()
            })
        })
    })
}

#[test]
fn every_layout_says_the_same_in_its_namespaces() {
    let population = Population::new(1, 1_000).expect("a possible size");
    let answer = Answer::Person(Some(Box::new(population.citizen(0))));
    let local = |xml: &str| {
        let (names, _) = read(xml);
        names.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let expected = local(&answer.to_xml(Layout::default()));
    assert_eq!(
        expected[..4],
        ["Envelope", "Body", "CongdanCollection", "CongDan"]
    );
    for layout in layouts() {
        let xml = answer.to_xml(layout);
        assert_eq!(local(&xml), expected, "{layout:?}");
        assert_eq!(xml.contains("\n    <"), layout.is_indented, "{layout:?}");
        let (names, _) = read(&xml);
        let of = |position: usize| names[position].1.as_deref();
        assert_eq!(of(0), Some(pen::SOAP), "{layout:?}");
        let (outermost, inner) = match layout.namespaces {
            Namespaces::Default | Namespaces::Prefixed | Namespaces::OnEnvelope => {
                (Some(pen::RESPONSE), Some(pen::RESPONSE))
            }
            Namespaces::Unqualified => (Some(pen::RESPONSE), None),
            Namespaces::OfRequest => (Some(pen::REQUEST), Some(pen::REQUEST)),
            Namespaces::Absent => (None, None),
        };
        assert_eq!((of(2), of(3)), (outermost, inner), "{layout:?}");
    }
}

#[test]
fn faults_are_soap_1_1_in_every_layout() {
    let fault = Answer::Fault(Blame::Client, "Sai <thứ tự>".to_owned());
    for layout in layouts() {
        let xml = fault.to_xml(layout);
        let (names, text) = read(&xml);
        let names: Vec<_> = names
            .iter()
            .map(|(name, namespace)| (name.as_str(), namespace.is_some()))
            .collect();
        let expected = [
            ("Envelope", true),
            ("Body", true),
            ("Fault", true),
            ("faultcode", false),
            ("faultstring", false),
        ];
        assert_eq!(names, expected, "{layout:?}");
        assert!(text.contains("Client") && xml.contains("Sai &lt;thứ tự&gt;"));
    }
}

#[test]
fn choices_are_seeded_and_vary() {
    let all = |choice: LayoutChoice, seed| -> Vec<_> {
        (0..500).map(|call| choice.layout(seed, call)).collect()
    };
    assert_eq!(all(LayoutChoice::Any, 1), all(LayoutChoice::Any, 1));
    assert_ne!(all(LayoutChoice::Any, 1), all(LayoutChoice::Any, 2));
    for namespaces in NAMESPACES {
        let forms = all(LayoutChoice::AnyForm, 1);
        assert!(forms.iter().any(|layout| layout.namespaces == namespaces));
        let whole = |layout: &Layout| layout.completeness == Completeness::Whole;
        assert!(forms.iter().all(whole));
    }
    for completeness in [
        Completeness::Whole,
        Completeness::YearOnly,
        Completeness::Sparse,
    ] {
        let forms = all(LayoutChoice::Any, 1);
        assert!(
            forms
                .iter()
                .any(|layout| layout.completeness == completeness)
        );
    }
}

#[test]
fn completeness_and_names_follow_the_layout() {
    let population = Population::new(1, 100_000).expect("a possible size");
    let whole = (0..1_000)
        .map(|index| population.citizen(index))
        .find(|citizen| {
            citizen.birth.date().is_some()
                && citizen.name.middle.is_some()
                && citizen.spouse.is_some()
        })
        .expect("one in a thousand is married");
    let written = |layout| Answer::Person(Some(Box::new(whole.clone()))).to_xml(layout);
    let plain = Layout::default();
    assert!(written(plain).contains("<ChuDem>") && written(plain).contains("<VoChong>"));
    assert!(written(plain).contains("<NgayThangNam>"));
    let year_only = written(Layout {
        completeness: Completeness::YearOnly,
        ..plain
    });
    assert!(!year_only.contains("<NgayThangNam>") && year_only.contains("<VoChong>"));
    let sparse = written(Layout {
        completeness: Completeness::Sparse,
        is_name_split: false,
        is_name_upper: false,
        ..plain
    });
    assert!(!sparse.contains("<VoChong>") && sparse.contains("<NgayThangNam>"));
    assert!(sparse.contains(&format!("<HoVaTen><Ten>{}</Ten>", whole.name.full())));
}

#[test]
fn wrong_namespaces_leave_nothing_known() {
    for layout in layouts() {
        let xml = with_wrong_namespaces(&Answer::Exists(true).to_xml(layout));
        let (names, _) = read(&xml);
        for (name, namespace) in names {
            let known = [pen::SOAP, pen::RESPONSE, pen::REQUEST];
            assert!(
                namespace.is_none_or(|namespace| !known.contains(&namespace.as_str())),
                "{name}"
            );
        }
    }
}
