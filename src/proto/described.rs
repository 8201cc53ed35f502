use std::collections::HashMap;

use prost::{DecodeError, Message};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use super::PACKAGE;

/// The definitions of the package in an order in which they can be read.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Services, by the names of their files and in the order in which they stand there.
    pub services: Vec<Service>,
    /// Messages and enums, likewise.
    pub items: Vec<Item>,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    /// The file that it is in, such as `hotline/v1/calls.proto`.
    pub file: String,
    /// Its name, without the package.
    pub name: String,
    /// What its definition says of it.
    pub comment: String,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// A method of a service.
#[derive(Debug, Clone)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// What its definition says of it.
    pub comment: String,
    /// The message that it is asked with.
    pub request: String,
    /// The message that it answers with.
    pub response: String,
    /// Whether requests are a stream.
    pub client_streams: bool,
    /// Whether answers are a stream.
    pub server_streams: bool,
}

/// A message or an enum.
#[derive(Debug, Clone)]
pub struct Item {
    /// The file that it is in.
    pub file: String,
    /// Its name, without the package.
    pub name: String,
    /// What its definition says of it.
    pub comment: String,
    /// Which of the two.
    pub shape: Shape,
    /// Its fields, or its values.
    pub fields: Vec<Field>,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A message.
    Message,
    /// An enum.
    Enum,
}

/// A field of a message, or a value of an enum.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its number on the wire.
    pub number: i32,
    /// Its type as the definition writes it: `repeated string`, `map<string, string>`; empty for values.
    pub kind: String,
    /// The `oneof` that it is one of.
    pub one_of: Option<String>,
    /// What its definition says of it.
    pub comment: String,
}

impl Described {
    /// Reads a file descriptor set; what is in other packages is left out.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(descriptor: &[u8]) -> Result<Self, DecodeError> {
        let mut files = FileDescriptorSet::decode(descriptor)?.file;
        files.retain(|file| file.package() == PACKAGE);
        files.sort_by(|a, b| a.name().cmp(b.name()));
        let mut all = Self::default();
        for file in &files {
            let comments = Comments::of(file);
            for (at, service) in (0..).zip(&file.service) {
                all.services.push(described_service(file, service, at, &comments));
            }
            for (at, message) in (0..).zip(&file.message_type) {
                all.message(file, "", message, &[4, at], &comments);
            }
            for (at, values) in (0..).zip(&file.enum_type) {
                all.items.push(described_enum(file, "", values, &[5, at], &comments));
            }
        }
        Ok(all)
    }

    /// Every method as `/hotline.v1.Calls/Get`, as it is called on the wire.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.services.iter().flat_map(|service| {
            service.methods.iter().map(|m| format!("/{PACKAGE}.{}/{}", service.name, m.name))
        })
    }

    fn message(
        &mut self,
        file: &FileDescriptorProto,
        outer: &str,
        message: &DescriptorProto,
        path: &[i32],
        comments: &Comments,
    ) {
        let name = format!("{outer}{}", message.name());
        let fields = (0..).zip(&message.field).map(|(at, field)| {
            let in_one_of = field.oneof_index.filter(|_| !field.proto3_optional());
            let one_of = in_one_of.and_then(|i| message.oneof_decl.get(usize::try_from(i).ok()?));
            Field {
                name: field.name().to_owned(),
                number: field.number(),
                kind: kind(field, message),
                one_of: one_of.map(|one_of| one_of.name().to_owned()),
                comment: comments.at(path, &[2, at]),
            }
        });
        self.items.push(Item {
            file: file.name().to_owned(),
            name: name.clone(),
            comment: comments.at(path, &[]),
            shape: Shape::Message,
            fields: fields.collect(),
        });
        let outer = format!("{name}.");
        for (at, inner) in (0..).zip(&message.nested_type) {
            if !inner.options.as_ref().is_some_and(|options| options.map_entry()) {
                self.message(file, &outer, inner, &[path, &[3, at]].concat(), comments);
            }
        }
        for (at, values) in (0..).zip(&message.enum_type) {
            let path = [path, &[4, at]].concat();
            self.items.push(described_enum(file, &outer, values, &path, comments));
        }
    }
}

fn described_service(
    file: &FileDescriptorProto,
    service: &ServiceDescriptorProto,
    at: i32,
    comments: &Comments,
) -> Service {
    let methods = (0..).zip(&service.method).map(|(n, method)| Method {
        name: method.name().to_owned(),
        comment: comments.at(&[6, at], &[2, n]),
        request: short(method.input_type()),
        response: short(method.output_type()),
        client_streams: method.client_streaming(),
        server_streams: method.server_streaming(),
    });
    Service {
        file: file.name().to_owned(),
        name: service.name().to_owned(),
        comment: comments.at(&[6, at], &[]),
        methods: methods.collect(),
    }
}

fn described_enum(
    file: &FileDescriptorProto,
    outer: &str,
    values: &EnumDescriptorProto,
    path: &[i32],
    comments: &Comments,
) -> Item {
    let fields = (0..).zip(&values.value).map(|(at, value)| Field {
        name: value.name().to_owned(),
        number: value.number(),
        kind: String::new(),
        one_of: None,
        comment: comments.at(path, &[2, at]),
    });
    Item {
        file: file.name().to_owned(),
        name: format!("{outer}{}", values.name()),
        comment: comments.at(path, &[]),
        shape: Shape::Enum,
        fields: fields.collect(),
    }
}

/// Comments of a file, by the paths that descriptors have for what they are of.
struct Comments(HashMap<Vec<i32>, String>);

impl Comments {
    fn of(file: &FileDescriptorProto) -> Self {
        let places = file.source_code_info.iter().flat_map(|info| &info.location);
        let told = places.filter(|place| place.leading_comments.is_some());
        Self(told.map(|place| (place.path.clone(), one_line(place.leading_comments()))).collect())
    }

    fn at(&self, path: &[i32], below: &[i32]) -> String {
        self.0.get(&[path, below].concat()).cloned().unwrap_or_default()
    }
}

fn one_line(comment: &str) -> String {
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A field's type as its definition writes it.
fn kind(field: &FieldDescriptorProto, within: &DescriptorProto) -> String {
    let entry = within.nested_type.iter().find(|inner| {
        field.r#type() == Type::Message
            && field.type_name().ends_with(&format!(".{}.{}", within.name(), inner.name()))
            && inner.options.as_ref().is_some_and(|options| options.map_entry())
    });
    if let Some([key, value]) = entry.map(|entry| &entry.field[..]) {
        return format!("map<{}, {}>", plain(key), plain(value));
    }
    let plain = plain(field);
    match field.label() {
        Label::Repeated => format!("repeated {plain}"),
        _ if field.proto3_optional() => format!("optional {plain}"),
        _ => plain,
    }
}

fn plain(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => short(field.type_name()),
        // TYPE_UINT64 is `uint64`.
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

/// A type's name, without our package.
fn short(name: &str) -> String {
    let name = name.trim_start_matches('.');
    name.strip_prefix(PACKAGE).map_or(name, |rest| rest.trim_start_matches('.')).to_owned()
}
