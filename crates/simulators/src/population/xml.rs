//! XML of a request as a small tree: bounded, without a document type, without entities.

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

const DEPTH_MAX: usize = 8;
const ELEMENTS_MAX: usize = 64;
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const REQUEST: &str = "http://dancuquocgia.bca";

/// The namespaces that matter to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    Soap,
    Request,
    Other,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) namespace: Namespace,
    pub(crate) name: String,
    pub(crate) children: Vec<Self>,
    /// All character data directly inside.
    pub(crate) text: String,
}

/// Reads a whole document; the error is a sentence for the caller.
pub(crate) fn parse(text: &str) -> Result<Element, &'static str> {
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree::default();
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|_| "XML không đúng cú pháp")?;
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
                tree.add_text(resolve(&reference)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose();
                let encoding = encoding.map_err(|_| "Khai báo XML không hợp lệ")?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err("Chỉ hỗ trợ UTF-8");
                }
            }
            Event::Comment(_) => {}
            Event::DocType(_) | Event::PI(_) => return Err("Không cho phép DOCTYPE và chỉ thị"),
            Event::Eof => return tree.finish(),
        }
    }
}

fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, &'static str> {
    let namespace = match namespace {
        ResolveResult::Bound(name) if name.as_ref() == SOAP => Namespace::Soap,
        ResolveResult::Bound(name) if name.as_ref() == REQUEST => Namespace::Request,
        ResolveResult::Bound(_) | ResolveResult::Unbound => Namespace::Other,
        ResolveResult::Unknown(_) => return Err("Tiền tố không được khai báo"),
    };
    if start.attributes().any(|attribute| attribute.is_err()) {
        return Err("Thuộc tính XML không đúng cú pháp");
    }
    Ok(Element {
        namespace,
        name: start.local_name().as_ref().to_owned(),
        children: Vec::new(),
        text: String::new(),
    })
}

/// A character reference or one of the five that need no declaration.
fn resolve(reference: &BytesRef<'_>) -> Result<char, &'static str> {
    let refused = "Không cho phép thực thể XML";
    match reference.resolve_char_ref().map_err(|_| refused)? {
        Some(character) => Ok(character),
        None => match reference.as_ref() {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ => Err(refused),
        },
    }
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
        if self.root.is_some() || self.open.len() == DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err("XML quá sâu, quá nhiều phần tử hoặc có hai phần tử gốc");
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let element = self.open.pop().ok_or("XML không đúng cú pháp")?;
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
            None => return Err("Có nội dung ngoài phần tử gốc"),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, &'static str> {
        if self.open.is_empty() {
            self.root.ok_or("Nội dung rỗng")
        } else {
            Err("XML chưa kết thúc")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_follow_their_declaration_not_their_prefix() {
        let root = parse(
            "<?xml version='1.0' encoding='UTF-8'?><!-- chú thích -->\
             <a:Envelope xmlns:a='http://schemas.xmlsoap.org/soap/envelope/'>\
             <x xmlns='http://dancuquocgia.bca'>A &amp; <![CDATA[<B>]]>&#x1EDB;</x><y/></a:Envelope>",
        )
        .unwrap();
        let told = |element: &Element| (element.namespace, element.name.clone());
        assert_eq!(told(&root), (Namespace::Soap, "Envelope".to_owned()));
        assert_eq!(
            told(&root.children[0]),
            (Namespace::Request, "x".to_owned())
        );
        assert_eq!(root.children[0].text, "A & <B>ớ");
        assert_eq!(told(&root.children[1]), (Namespace::Other, "y".to_owned()));
    }

    #[test]
    fn what_is_not_one_small_plain_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(9), "</a>".repeat(9));
        let wide = format!("<a>{}</a>", "<b/>".repeat(64));
        for text in [
            "",
            "chữ",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>chữ",
            "<p:a/>",
            "<a b=1/>",
            "<a>&thucthe;</a>",
            "<a>&#0;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<?php x ?><a/>",
            "<?xml version='1.0' encoding='windows-1258'?><a/>",
            &deep,
            &wide,
        ] {
            assert!(parse(text).is_err(), "{text:.60} passed");
        }
        assert!(parse(&format!("{}{}", "<a>".repeat(8), "</a>".repeat(8))).is_ok());
    }
}
