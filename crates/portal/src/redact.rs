//! Takes out of the portal's words what we told it in confidence, since operators read and store them.
//!
//! A text is found whatever its case, Unicode form and line breaks, and also when only its beginning is
//! repeated: the portal shortens long texts, and so may our own `cuts`.

use lienthong_domain::DossierDetails;
use lienthong_domain::details::{
    OtherPaper, PrivateText, ResultPaper, SubmittedDocument, Supplement,
};
use lienthong_ports::store::Work;
use unicode_normalization::UnicodeNormalization as _;

/// Shorter texts are not looked for: they would be found inside ordinary words.
const TEXT_CHARS_MIN: usize = 3;
/// Characters by which a longer text is recognised; what follows is hidden as far as it agrees.
const BEGINNING_CHARS: usize = 24;
/// Characters of a message that are searched and kept: more than the longest text of a dossier, so that
/// one that is repeated whole is seen whole. An answer keeps fewer.
const MESSAGE_CHARS_MAX: usize = 10_000;

/// `message` with `…` in place of every one of `texts`. Runs of digits are masked later, by `Answer::new`.
pub(crate) fn redact<'a>(message: &str, texts: impl IntoIterator<Item = &'a str>) -> String {
    let message: Vec<char> = message.nfc().take(MESSAGE_CHARS_MAX).collect();
    let (folded, origins) = fold(message.iter().copied());
    let mut hidden = vec![false; message.len()];
    for text in texts {
        let (text, _) = fold(text.nfc());
        if text.chars().count() < TEXT_CHARS_MIN {
            continue;
        }
        let beginning = match text.char_indices().nth(BEGINNING_CHARS) {
            Some((end, _)) => text.split_at(end).0,
            None => &text,
        };
        for (start, _) in folded.match_indices(beginning) {
            let end = start + common_bytes(folded.split_at(start).1, &text);
            hidden[origins[start]..=origins[end - 1]].fill(true);
        }
    }
    let mut redacted = String::with_capacity(folded.len());
    for (index, character) in message.into_iter().enumerate() {
        if !hidden[index] {
            redacted.push(character);
        } else if index == 0 || !hidden[index - 1] {
            redacted.push('…');
        }
    }
    redacted
}

/// One form for comparing, lower case and one blank for several, and for each of its bytes the position
/// of the character that it comes from.
fn fold(characters: impl Iterator<Item = char>) -> (String, Vec<usize>) {
    let mut folded = String::new();
    let mut origins = Vec::new();
    for (index, character) in characters.enumerate() {
        if !character.is_whitespace() {
            folded.extend(character.to_lowercase());
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
        origins.resize(folded.len(), index);
    }
    (folded, origins)
}

/// How many bytes both begin with, in whole characters.
fn common_bytes(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(character, _)| character.len_utf8())
        .sum()
}

/// Every text of `work` that may name or describe a person.
pub(crate) fn personal_texts(work: &Work) -> Vec<&str> {
    let mut texts = Texts::default();
    texts.add_details(&work.details);
    if let Some(progress) = &work.progress {
        texts.add([Some(&progress.officer_name)]);
        texts.add([Some(&progress.note)]);
    }
    texts.0
}

#[derive(Default)]
struct Texts<'a>(Vec<&'a str>);

impl<'a> Texts<'a> {
    fn add<const MAX: usize>(
        &mut self,
        texts: impl IntoIterator<Item = Option<&'a PrivateText<MAX>>>,
    ) {
        let known = texts.into_iter().flatten();
        self.0.extend(known.map(|text| text.expose().as_str()));
    }

    fn add_details(&mut self, details: &'a DossierDetails) {
        let d = details;
        self.add([d.applicant_name.as_ref()]);
        self.add([d.applicant_technical_id.as_ref()]);
        self.add([d.email.as_ref()]);
        self.add([&d.applicant_document, &d.fax, &d.phone].map(Option::as_ref));
        self.add([d.summary.as_ref()]);
        self.add([&d.other_information, &d.remark, &d.return_information].map(Option::as_ref));
        let identities = d.identities.iter().flatten();
        self.add(identities.map(|identity| Some(&identity.number)));
        for SubmittedDocument { name, url, .. } in d.submitted_documents.iter().flatten() {
            self.add([name.as_ref()]);
            self.add([url.as_ref()]);
        }
        self.add_papers(d.other_papers.as_ref());
        for supplement in d.supplements.iter().flatten() {
            self.add_supplement(supplement);
        }
        for ResultPaper { name, url, .. } in d.results.iter().flatten() {
            self.add([name, url].map(Option::as_ref));
        }
    }

    fn add_supplement(&mut self, supplement: &'a Supplement) {
        let s = supplement;
        self.add([&s.requested_by, &s.received_by].map(Option::as_ref));
        self.add([&s.content, &s.receipt_information].map(Option::as_ref));
        self.add_papers(s.papers.as_ref());
    }

    fn add_papers(&mut self, papers: Option<&'a Vec<OtherPaper>>) {
        let papers = papers.into_iter().flatten();
        self.add(papers.map(|paper| paper.name.as_ref()));
    }
}

#[cfg(test)]
mod tests;
