//! The door to `prost`: a table as the `FileDescriptorSet` that Foxglove and every protobuf library read.

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, OneofDescriptorProto,
};

use super::layout::{Choice, Field, Kind, Layout};

/// The set for one message: its own file, after the files that it imports.
pub(super) fn set(layout: &'static Layout) -> Vec<u8> {
    let mut files = Vec::new();
    add_file(layout, &mut files);
    FileDescriptorSet { file: files }.encode_to_vec()
}

/// Where a message of that package stands.
fn path(layout: &Layout) -> String {
    match layout.package {
        "google.protobuf" => format!("google/protobuf/{}.proto", layout.name.to_lowercase()),
        package => format!("{package}/{}.proto", layout.name),
    }
}

fn add_file(layout: &'static Layout, files: &mut Vec<FileDescriptorProto>) {
    let mut file = FileDescriptorProto {
        name: Some(path(layout)),
        package: Some(layout.package.to_owned()),
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    add_message(layout, &mut file, files);
    files.push(file);
}

/// Adds a message with all that it uses: of its own package to the same file, of another to files before it.
fn add_message(
    layout: &'static Layout,
    file: &mut FileDescriptorProto,
    files: &mut Vec<FileDescriptorProto>,
) {
    if file.message_type.iter().any(|message| message.name() == layout.name) {
        return;
    }
    let mut message = DescriptorProto { name: Some(layout.name.to_owned()), ..DescriptorProto::default() };
    for field in layout.fields {
        match field.kind {
            Kind::Part(part) if part.package == layout.package => add_message(part, file, files),
            Kind::Part(part) => {
                add_file(part, files);
                file.dependency.push(path(part));
            }
            Kind::Choice(choice) if !file.enum_type.iter().any(|known| known.name() == choice.name) => {
                file.enum_type.push(words(choice));
            }
            _ => {}
        }
        let described = describe(field, layout, &mut message.oneof_decl);
        message.field.push(described);
    }
    file.message_type.push(message);
}

fn words(choice: &Choice) -> EnumDescriptorProto {
    let value = (0..)
        .zip(choice.words)
        .map(|(number, word)| EnumValueDescriptorProto {
            name: Some((*word).to_owned()),
            number: Some(number),
            options: None,
        })
        .collect();
    EnumDescriptorProto { name: Some(choice.name.to_owned()), value, ..EnumDescriptorProto::default() }
}

/// A field. One that may be absent is in a oneof of its own, as proto3 has it, unless it is a message.
fn describe(field: &Field, layout: &Layout, oneofs: &mut Vec<OneofDescriptorProto>) -> FieldDescriptorProto {
    let (kind, type_name) = match field.kind {
        Kind::Float | Kind::Floats => (Type::Float, None),
        Kind::Double => (Type::Double, None),
        Kind::Fixed32 => (Type::Fixed32, None),
        Kind::Fixed64 => (Type::Fixed64, None),
        Kind::Int32 => (Type::Int32, None),
        Kind::Int64 => (Type::Int64, None),
        Kind::Text => (Type::String, None),
        Kind::Bytes => (Type::Bytes, None),
        Kind::Choice(choice) => (Type::Enum, Some(format!(".{}.{}", layout.package, choice.name))),
        Kind::Part(part) => (Type::Message, Some(format!(".{}.{}", part.package, part.name))),
    };
    let label = if matches!(field.kind, Kind::Floats) { Label::Repeated } else { Label::Optional };
    let alone = field.optional && !matches!(field.kind, Kind::Part(_));
    let oneof_index = alone.then(|| {
        oneofs.push(OneofDescriptorProto { name: Some(format!("_{}", field.name)), options: None });
        i32::try_from(oneofs.len() - 1).unwrap_or_default()
    });
    FieldDescriptorProto {
        name: Some(field.name.to_owned()),
        number: Some(i32::from(field.number)),
        label: Some(label as i32),
        r#type: Some(kind as i32),
        type_name,
        oneof_index,
        proto3_optional: alone.then_some(true),
        ..FieldDescriptorProto::default()
    }
}
