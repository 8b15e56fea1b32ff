//! The rules of the contract, checked on the compiled descriptor set, so that they hold on a machine without buf.

use std::collections::HashSet;

use lienthong_proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

/// Field numbers inside descriptor.proto, of which the paths of comments are made.
mod path {
    pub(crate) const FILE_MESSAGE: i32 = 4;
    pub(crate) const FILE_ENUM: i32 = 5;
    pub(crate) const FILE_SERVICE: i32 = 6;
    pub(crate) const MESSAGE_FIELD: i32 = 2;
    pub(crate) const MESSAGE_ONEOF: i32 = 8;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const SERVICE_METHOD: i32 = 2;
}

#[test]
fn the_package_equals_the_folder() {
    for file in our_files() {
        let (folder, _) = file
            .name()
            .rsplit_once('/')
            .expect("no file lies at the root");
        assert_eq!(file.package(), folder.replace('/', "."), "{}", file.name());
        let version = file.package().rsplit('.').next();
        assert_eq!(version, Some("v1"), "{}", file.name());
        assert_eq!(file.syntax(), "proto3", "{}", file.name());
    }
}

#[test]
fn every_file_of_the_contract_is_compiled() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/lienthong");
    let mut on_disk = 0;
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                on_disk += usize::from(path.extension().is_some_and(|ending| ending == "proto"));
            }
        }
    }
    assert_eq!(our_files().len(), on_disk);
}

#[test]
fn services_and_their_messages_have_standard_names() {
    let mut taken = HashSet::new();
    let mut methods = 0;
    for file in our_files() {
        for service in &file.service {
            assert!(service.name().ends_with("Service"), "{}", service.name());
            for method in &service.method {
                methods += 1;
                for (found, role) in [
                    (method.input_type(), "Request"),
                    (method.output_type(), "Response"),
                ] {
                    let expected = format!(".{}.{}{role}", file.package(), method.name());
                    assert_eq!(found, expected, "{}.{}", service.name(), method.name());
                    assert!(taken.insert(expected), "{found} serves two methods");
                }
            }
        }
    }
    assert_eq!(
        methods, 43,
        "a method came or went: say so here and in the changelog"
    );
}

#[test]
fn enumerations_start_unspecified_and_carry_their_prefix() {
    for file in our_files() {
        for (enumeration, _) in enums_of(&file) {
            let prefix = upper_snake_case(enumeration.name());
            let zero = enumeration
                .value
                .first()
                .expect("an enumeration has values");
            assert_eq!(zero.number(), 0);
            assert_eq!(zero.name(), format!("{prefix}_UNSPECIFIED"));
            for value in &enumeration.value {
                assert!(
                    value.name().starts_with(&format!("{prefix}_")),
                    "{}",
                    value.name()
                );
            }
        }
    }
}

#[test]
fn statuses_have_the_numbers_of_the_portal() {
    let files = our_files();
    let statuses = files
        .iter()
        .flat_map(|file| &file.enum_type)
        .find(|found| found.name() == "DossierStatus")
        .expect("the contract has DossierStatus");
    let numbers: Vec<i32> = statuses
        .value
        .iter()
        .map(EnumValueDescriptorProto::number)
        .collect();
    assert_eq!(numbers, (0..=10).collect::<Vec<_>>());
}

#[test]
fn everything_has_a_leading_comment() {
    let mut bare = Vec::new();
    for file in our_files() {
        let commented = commented_paths(&file);
        for (path, name) in elements_of(&file) {
            if !commented.contains(&path) {
                bare.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn requests_that_change_something_carry_a_reason() {
    let changing = [
        "Pause", "Resume", "Replay", "Discard", "Approve", "Cancel", "Set", "Erase", "Lift",
    ];
    let mut checked = 0;
    for file in our_files()
        .iter()
        .filter(|file| file.package() == "lienthong.admin.v1")
    {
        for message in &file.message_type {
            let name = message.name();
            if name.ends_with("Request") && changing.iter().any(|verb| name.starts_with(verb)) {
                checked += 1;
                assert!(
                    message.field.iter().any(|field| field.name() == "reason"),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(checked, changing.len());
}

fn our_files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("build.rs encoded it");
    set.file
        .into_iter()
        .filter(|file| file.name().starts_with("lienthong/"))
        .collect()
}

/// The paths that have a comment before them of at least a few words.
fn commented_paths(file: &FileDescriptorProto) -> HashSet<Vec<i32>> {
    let info = file
        .source_code_info
        .as_ref()
        .expect("protox keeps the comments");
    info.location
        .iter()
        .filter(|location| location.leading_comments().trim().len() > 3)
        .map(|location| location.path.clone())
        .collect()
}

/// Everything of a file that needs a comment: its path in the descriptor, and its name.
fn elements_of(file: &FileDescriptorProto) -> Vec<(Vec<i32>, String)> {
    let mut found = Vec::new();
    for (index, service) in (0..).zip(&file.service) {
        let path = vec![path::FILE_SERVICE, index];
        for (method_index, method) in (0..).zip(&service.method) {
            let name = format!("{}.{}", service.name(), method.name());
            found.push((child(&path, path::SERVICE_METHOD, method_index), name));
        }
        found.push((path, service.name().to_owned()));
    }
    for (enumeration, path) in enums_of(file) {
        for (value_index, value) in (0..).zip(&enumeration.value) {
            found.push((
                child(&path, path::ENUM_VALUE, value_index),
                value.name().to_owned(),
            ));
        }
        found.push((path, enumeration.name().to_owned()));
    }
    for (index, message) in (0..).zip(&file.message_type) {
        found.extend(elements_of_message(message, &[path::FILE_MESSAGE, index]));
    }
    found
}

fn elements_of_message(message: &DescriptorProto, path: &[i32]) -> Vec<(Vec<i32>, String)> {
    // Nested declarations would escape the checks above; a map entry is made by the compiler.
    assert!(
        message.enum_type.is_empty(),
        "{} nests an enumeration",
        message.name()
    );
    let is_map_entry = |nested: &DescriptorProto| {
        nested
            .options
            .as_ref()
            .is_some_and(prost_types::MessageOptions::map_entry)
    };
    assert!(
        message.nested_type.iter().all(is_map_entry),
        "{} nests a message",
        message.name()
    );

    let mut found = vec![(path.to_vec(), message.name().to_owned())];
    for (index, field) in (0..).zip(&message.field) {
        let name = format!("{}.{}", message.name(), field.name());
        found.push((child(path, path::MESSAGE_FIELD, index), name));
    }
    // The compiler wraps each `optional` field in a oneof whose name starts with an underscore.
    for (index, oneof) in (0..).zip(&message.oneof_decl) {
        if !oneof.name().starts_with('_') {
            let name = format!("{}.{}", message.name(), oneof.name());
            found.push((child(path, path::MESSAGE_ONEOF, index), name));
        }
    }
    found
}

fn enums_of(file: &FileDescriptorProto) -> Vec<(EnumDescriptorProto, Vec<i32>)> {
    let numbered = (0..).zip(&file.enum_type);
    numbered
        .map(|(index, found)| (found.clone(), vec![path::FILE_ENUM, index]))
        .collect()
}

fn child(parent: &[i32], field: i32, index: i32) -> Vec<i32> {
    [parent, &[field, index]].concat()
}

fn upper_snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}
