//! XML of an answer as a small tree of local names: bounded in depth and elements, no document type, no entities.

use std::fmt;

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// Most elements that are read; a whole record has about a hundred.
const ELEMENTS_MAX: usize = 4_096;
/// Namespaces of SOAP 1.1 and 1.2 envelopes.
const SOAP: [&str; 2] = [
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
];

/// One element. It never prints what it holds.
#[derive(Default)]
pub(crate) struct Element {
    /// Name without its prefix.
    name: String,
    /// Whether the name belongs to SOAP.
    is_soap: bool,
    children: Vec<Self>,
    /// All character data directly inside.
    text: String,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element").finish_non_exhaustive()
    }
}

impl Element {
    /// Whether it has this local name. Systems in the field do not agree on capitals (`CongdanCollection`).
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it is this part of a SOAP envelope.
    pub(crate) fn is_soap(&self, name: &str) -> bool {
        self.is_soap && self.name == name
    }

    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first child of this local name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(name))
    }

    /// Takes the first child that fits out; an empty element when none does.
    pub(crate) fn take_child(&mut self, fits: impl Fn(&Self) -> bool) -> Self {
        let position = self.children.iter().position(fits);
        position.map_or_else(Self::default, |index| self.children.swap_remove(index))
    }

    /// Its own text without the blanks around; `None` when there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the first child of this name.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).and_then(Self::text)
    }

    /// Its text and that of everything below, for looking up phrases.
    pub(crate) fn all_text(&self) -> String {
        let below = self.children.iter().map(Self::all_text);
        std::iter::once(self.text.clone())
            .chain(below)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The element of this name, which may be wrapped in others that hold nothing else.
    pub(crate) fn unwrapped(&self, name: &str) -> Option<&Self> {
        if self.is(name) {
            return Some(self);
        }
        match self.children.as_slice() {
            [only] => only.unwrapped(name),
            _ => None,
        }
    }
}

/// Reads a whole document.
///
/// # Errors
/// What is wrong with it, without a word of it.
pub(crate) fn parse(text: &str) -> Result<Element, &'static str> {
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree::default();
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|_| "it is no well-formed XML")?;
        match event {
            Event::Start(start) => tree.open(element(&namespace, &start)?)?,
            Event::Empty(start) => {
                tree.open(element(&namespace, &start)?)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.add_text(&text.xml10_content())?,
            Event::CData(text) => tree.add_text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                tree.add_text(character(&reference)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose();
                let encoding = encoding.map_err(|_| "its XML declaration is broken")?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err("its encoding is not UTF-8");
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err("it declares a document type"),
            Event::Eof => return tree.finish(),
        }
    }
}

fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, &'static str> {
    let is_soap = match namespace {
        ResolveResult::Bound(name) => SOAP.contains(&name.as_ref()),
        ResolveResult::Unbound => false,
        ResolveResult::Unknown(_) => return Err("a prefix is not declared"),
    };
    if start.attributes().any(|attribute| attribute.is_err()) {
        return Err("it is no well-formed XML");
    }
    Ok(Element {
        name: start.local_name().as_ref().to_owned(),
        is_soap,
        ..Element::default()
    })
}

/// A character reference, or one of the five names that need no declaration.
fn character(reference: &BytesRef<'_>) -> Result<char, &'static str> {
    let refused = "it refers to an entity";
    let known = match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().map_err(|_| refused)?,
    };
    known.ok_or(refused)
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), &'static str> {
        self.elements += 1;
        if self.root.is_some() {
            return Err("it has two root elements");
        }
        if self.open.len() == DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err("it is nested too deeply or has too many elements");
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let element = self.open.pop().ok_or("it is no well-formed XML")?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) -> Result<(), &'static str> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("it has text outside its root element"),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, &'static str> {
        if !self.open.is_empty() {
            return Err("it ends in the middle");
        }
        self.root.ok_or("it is empty")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn local_names_count_and_text_is_gathered() {
        let root = parse(
            "\u{feff}<?xml version='1.0' encoding='UTF-8'?><?xsl x?><!-- chú thích -->\
             <a:Envelope xmlns:a='http://schemas.xmlsoap.org/soap/envelope/'>\
             <x:Ten xmlns:x='urn:x'> H&apos;HEN &#x1EDB;<![CDATA[ <NIÊ> ]]></x:Ten><Trong/></a:Envelope>",
        )
        .unwrap();
        assert!(root.is_soap("Envelope") && !root.is_soap("Body"));
        assert_eq!(root.child_text("ten"), Some("H'HEN ớ <NIÊ>"));
        assert_eq!((root.child_text("Trong"), root.children().len()), (None, 2));
        assert!(!root.children()[0].is_soap("Ten"));
        assert!(root.unwrapped("Ten").is_none(), "two children wrap nothing");
        assert_eq!(format!("{root:?}"), "Element { .. }");
    }

    #[test]
    fn what_is_not_one_bounded_plain_document_is_refused() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        let wide = |leaves: usize| format!("<a>{}</a>", "<b/>".repeat(leaves));
        let billion = "<!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        let refused = [
            "",
            " ",
            "chữ",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>chữ",
            "<p:a/>",
            "<a b=1/>",
            "<a>&thucthe;</a>",
            "<a>&#0;</a>",
            billion,
            "<!DOCTYPE html><html/>",
            "<?xml version='1.0' encoding='windows-1258'?><a/>",
            &deep(33),
            &wide(4_096),
        ];
        for text in refused {
            assert!(parse(text).is_err(), "{text:.60} passed");
        }
        assert!(parse(&deep(32)).is_ok() && parse(&wide(4_095)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(<|>|/|a|b|&|;|#|x|!|\\[|\\]|CDATA|--|\\?| |=|'|ế|\\PC){0,60}") {
            drop(parse(&text));
        }
    }
}
