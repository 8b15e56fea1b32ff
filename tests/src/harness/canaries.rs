//! Known people, and the search for traces of them in files and in what was told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Context as _;
use lienthong_simulators::population::{Citizen, PopulationHandle};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Birth dates from this year on could be dates of anything else.
const BORN_BEFORE: u16 = 2010;
/// Shorter names could be found by chance in what is encrypted.
const NAME_CHARS_MIN: usize = 10;
/// Bytes of a file searched at once, beside what is left of the piece before.
const PIECE_BYTES: usize = 8 << 20;
/// Bytes shown around what was found.
const AROUND_BYTES: usize = 60;
/// Findings that are shown of one place; the others are counted.
const SHOWN_MAX: usize = 5;

/// What is searched for, and in which spelling it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spelling {
    name: &'static str,
    /// Digits next to it make it part of some other number.
    stands_alone: bool,
}

/// People whom the whole product is asked about, and whom nothing of it may mention.
pub struct Canaries {
    people: Vec<Citizen>,
    needles: AhoCorasick,
    spellings: Vec<Spelling>,
    longest: usize,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Search {
    /// Files or texts searched.
    pub places: usize,
    /// Bytes searched.
    pub bytes: u64,
    /// Canaries found.
    pub found: usize,
    /// The first of them, with what stands around them. The people are invented, so they may be shown.
    pub shown: Vec<String>,
}

impl Search {
    /// Adds another search.
    pub fn add(&mut self, other: Self) {
        self.places += other.places;
        self.bytes += other.bytes;
        self.found += other.found;
        self.shown.extend(other.shown);
        self.shown.truncate(4 * SHOWN_MAX);
    }
}

impl Canaries {
    /// The first `count` living citizens with a full birth date before 2010 and a name long enough to be no chance.
    ///
    /// # Errors
    /// The register is too small, or the search cannot be built.
    pub fn choose(population: &PopulationHandle, count: usize) -> anyhow::Result<Self> {
        let register = population.population();
        let people = (0..register.len())
            .map(|index| register.citizen(index))
            .filter(is_rare)
            .take(count)
            .collect::<Vec<_>>();
        anyhow::ensure!(people.len() == count, "the register is too small");
        let mut needles = HashMap::new();
        for (index, person) in people.iter().enumerate() {
            for (needle, spelling) in spellings(person, index) {
                if let Entry::Vacant(free) = needles.entry(needle) {
                    free.insert(spelling);
                }
            }
        }
        let (texts, spellings): (Vec<_>, Vec<_>) = needles.into_iter().unzip();
        let needles = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&texts)
            .context("failed to prepare the search")?;
        let longest = texts.iter().map(Vec::len).max().unwrap_or_default();
        Ok(Self {
            people,
            needles,
            spellings,
            longest,
        })
    }

    /// The people.
    pub fn people(&self) -> &[Citizen] {
        &self.people
    }

    /// How many spellings are searched for.
    pub fn spellings(&self) -> usize {
        self.spellings.len()
    }

    /// Searches a text.
    pub fn search(&self, place: &str, bytes: &[u8]) -> Search {
        let mut search = Search {
            places: 1,
            ..Search::default()
        };
        self.search_piece(place, bytes, 0, &mut search);
        search.bytes = bytes.len() as u64;
        search
    }

    /// Searches every file below a folder, or one file.
    ///
    /// # Errors
    /// A file cannot be read. One that is gone meanwhile is left out.
    pub fn search_files(&self, path: &Path) -> anyhow::Result<Search> {
        let mut search = Search::default();
        let reading = || format!("failed to read {}", path.display());
        let metadata = match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(search),
            metadata => metadata.with_context(reading)?,
        };
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path).with_context(reading)? {
                search.add(self.search_files(&entry.with_context(reading)?.path())?);
            }
        } else if metadata.is_file() {
            match File::open(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                file => search.add(self.search_file(path, file.with_context(reading)?)?),
            }
        }
        Ok(search)
    }

    fn search_file(&self, path: &Path, mut file: File) -> anyhow::Result<Search> {
        let place = path.display().to_string();
        let mut search = Search {
            places: 1,
            ..Search::default()
        };
        let mut held = Vec::with_capacity(PIECE_BYTES + 2 * self.longest);
        loop {
            // What ends in the part that was searched already was found already.
            let known = held.len();
            let taken = (&mut file)
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut held)?;
            search.bytes += taken as u64;
            if taken == 0 {
                return Ok(search);
            }
            self.search_piece(&place, &held, known, &mut search);
            let keep = held.len().min(self.longest + 1);
            held.drain(..held.len() - keep);
        }
    }

    /// Finds what ends after the first `known` bytes.
    fn search_piece(&self, place: &str, bytes: &[u8], known: usize, search: &mut Search) {
        let digit = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_digit)
        };
        for hit in self.needles.find_overlapping_iter(bytes) {
            let spelling = self.spellings[hit.pattern().as_usize()];
            let is_part = digit(hit.start().checked_sub(1)) || digit(Some(hit.end()));
            if hit.end() <= known || (spelling.stands_alone && is_part) {
                continue;
            }
            search.found += 1;
            if search.shown.len() < SHOWN_MAX {
                let from = hit.start().saturating_sub(AROUND_BYTES);
                let until = bytes.len().min(hit.end() + AROUND_BYTES);
                let around = bytes[from..until].escape_ascii();
                search
                    .shown
                    .push(format!("{} in {place}: {around}", spelling.name));
            }
        }
    }
}

/// The telephone of the canary at `index`: no number in use begins like this.
pub fn phone(index: usize) -> String {
    format!("0199{index:06}9")
}

/// The birth date as the contract writes it.
pub fn born(person: &Citizen) -> String {
    let (month, day) = person.birth.month_day.unwrap_or_default();
    format!("{}-{month:02}-{day:02}", person.birth.year)
}

fn is_rare(person: &Citizen) -> bool {
    // The first of January is what is written where a day is not known, and in examples.
    let has_day = person.birth.month_day.is_some_and(|day| day != (1, 1));
    has_day
        && !person.is_dead
        && person.birth.year < BORN_BEFORE
        && person.name.full().chars().count() >= NAME_CHARS_MIN
}

/// Everything by which a canary would be recognized.
fn spellings(person: &Citizen, index: usize) -> Vec<(Vec<u8>, Spelling)> {
    let mut all = Vec::new();
    let mut add = |name, stands_alone, text: Vec<u8>| {
        all.push((text, Spelling { name, stands_alone }));
    };
    let number = &person.number;
    add("number", false, number.clone().into_bytes());
    let without_zeros = number.trim_start_matches('0');
    if without_zeros.len() < number.len() {
        add("number without zeros", true, without_zeros.into());
    }
    let listed = format!("{:?}", number.as_bytes());
    add("number as a list of bytes", false, listed.into_bytes());
    add("telephone", true, phone(index).into_bytes());
    add("birth date", false, born(person).into_bytes());
    let (month, day) = person.birth.month_day.unwrap_or_default();
    let spoken = format!("{day:02}/{month:02}/{}", person.birth.year);
    add("birth date, day first", false, spoken.into_bytes());

    let full = person.name.full();
    let cases = [full.clone(), full.to_uppercase(), full.to_lowercase()];
    for text in cases {
        add("name, NFC", false, text.nfc().collect::<String>().into());
        add("name, NFD", false, text.nfd().collect::<String>().into());
        add("name, escaped", false, escaped(&text).into_bytes());
        add("name, folded", false, folded(&text).into_bytes());
    }
    all
}

/// As bytes print themselves: `L\xc3\xaa`.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "\\x{byte:02x}").expect("a string takes everything");
        }
    }
    escaped
}

/// Without diacritics.
fn folded(text: &str) -> String {
    let letters = text.nfd().filter(|letter| !is_combining_mark(*letter));
    letters
        .map(|letter| match letter {
            'đ' => 'd',
            'Đ' => 'D',
            other => other,
        })
        .collect()
}
