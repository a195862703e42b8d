//! DIGIT's files as they stand: JSON, the list in it, the entries of the list.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};

/// The largest file that is read, in bytes: 8 MiB. Real ones have 10 to 50 KiB.
pub const MAX_BYTES: usize = 8 << 20;
/// The most services, and the most departments.
pub const MAX_ENTRIES: usize = 10_000;

/// Which of DIGIT's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigitFile {
    /// `ServiceDefs.json`: the complaint types.
    ServiceDefs,
    /// `Department.json`: the departments.
    Departments,
}

impl DigitFile {
    /// What the list in it is called.
    fn list(self) -> &'static str {
        match self {
            Self::ServiceDefs => "ServiceDefs",
            Self::Departments => "Department",
        }
    }
}

impl fmt::Display for DigitFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.json", self.list())
    }
}

/// Why one of DIGIT's files is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitError {
    /// It is larger than is read.
    #[error("{file}: it has {bytes} bytes, {MAX_BYTES} are the most; is it another file?")]
    TooLarge {
        /// The file.
        file: DigitFile,
        /// Its size.
        bytes: usize,
    },
    /// It is in another encoding.
    #[error("{file}, line {line}, column {column}: it is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        file: DigitFile,
        /// The line.
        line: usize,
        /// The column, counted in characters from 1.
        column: usize,
    },
    /// It is no JSON.
    #[error("{file}, line {line}, column {column}: it is no JSON: {problem}; correct it there, or export it anew")]
    NotJson {
        /// The file.
        file: DigitFile,
        /// The line.
        line: usize,
        /// The column, counted in characters from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// It is JSON of another shape.
    #[error(
        "{file}, line {line}, column {column}: {problem}; it has to be a list of objects named '{}', their fields texts, \
         numbers, true or false",
        .file.list()
    )]
    Shape {
        /// The file.
        file: DigitFile,
        /// The line.
        line: usize,
        /// The column, counted in characters from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
}

/// A field's value: a text, or a number, true or false as a text; empty where there is none. It is one line without
/// control characters and needless blanks.
#[derive(Debug, Default)]
pub(super) struct Value {
    pub(super) text: String,
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        self.text.eq_ignore_ascii_case("true")
    }
}

/// A complaint type.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceDef {
    pub(super) service_code: Value,
    pub(super) name: Value,
    pub(super) keywords: Value,
    pub(super) department: Value,
    pub(super) sla_hours: Value,
    pub(super) menu_path: Value,
    pub(super) menu_path_name: Value,
    pub(super) active: Value,
}

/// A department.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DepartmentDef {
    pub(super) code: Value,
    pub(super) name: Value,
    pub(super) active: Value,
}

/// The entries of a file's list.
pub(super) fn entries<T: DeserializeOwned>(file: DigitFile, bytes: &[u8]) -> Result<Vec<T>, DigitError> {
    if bytes.len() > MAX_BYTES {
        return Err(DigitError::TooLarge { file, bytes: bytes.len() });
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = end_of(&bytes[..error.valid_up_to()]);
        DigitError::NotUtf8 { file, line, column: column + 1 }
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let list = List { name: file.list(), entries: PhantomData };
    list.deserialize(&mut json).and_then(|list| json.end().map(|()| list)).map_err(|error| refused(file, text, &error))
}

fn refused(file: DigitFile, text: &str, error: &serde_json::Error) -> DigitError {
    // The reader counts in bytes.
    let before = text.split_inclusive('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let (_, column) = end_of(&before.as_bytes()[..error.column().min(before.len())]);
    let (line, column) = (error.line().max(1), column.max(1));
    let whole = error.to_string();
    let problem = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(problem, _)| problem);
    let problem = problem.chars().filter(|c| !c.is_control()).take(160).collect();
    match error.classify() {
        serde_json::error::Category::Data => DigitError::Shape { file, line, column, problem },
        _ => DigitError::NotJson { file, line, column, problem },
    }
}

/// The line on which a text ends, and how many characters that line has.
fn end_of(text: &[u8]) -> (usize, usize) {
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let characters = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    (1 + text.iter().filter(|byte| **byte == b'\n').count(), characters)
}

/// What a list may lie in: the answer of the MDMS service.
const AROUND: [&str; 3] = ["MdmsRes", "RAINMAKER-PGR", "common-masters"];

/// A list by its name, or alone.
struct List<T> {
    name: &'static str,
    entries: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for List<T> {
    type Value = Vec<T>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<T>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list '{}'", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Entry(entry)) = list.next_element()? {
            if entries.len() == MAX_ENTRIES {
                return Err(A::Error::custom(format_args!("more than {MAX_ENTRIES} entries")));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Vec<T>, A::Error> {
        let mut found = None;
        while let Some(key) = object.next_key::<String>()? {
            if found.is_none() && (key == self.name || AROUND.contains(&key.as_str())) {
                found = Some(object.next_value_seed(List { ..self })?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom(format_args!("there is no '{}'", self.name)))
    }
}

/// An entry: an object. (What is derived would take a list of values, too.)
struct Entry<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Object<T> {
            type Value = Entry<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Entry<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(object)).map(Entry)
            }
        }
        json.deserialize_map(Object(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Plain;
        impl Visitor<'_> for Plain {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::default())
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value { text: value.to_string() })
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value { text: value.to_string() })
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value { text: value.to_string() })
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value { text: value.to_string() })
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value { text: one_line(value) })
            }
        }
        json.deserialize_any(Plain)
    }
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(json: &str) -> Result<Vec<ServiceDef>, DigitError> {
        entries(DigitFile::ServiceDefs, json.as_bytes())
    }

    #[test]
    fn the_list_is_found_in_a_file_alone_and_in_an_answer() {
        let list = r#"[{"serviceCode": 7, "name": "a\n b", "other": {"x": []}}]"#;
        for json in [
            list.to_owned(),
            format!("\u{feff}{{\"tenantId\": \"pb\", \"ServiceDefs\": {list}}}"),
            format!(r#"{{"ResponseInfo": null, "MdmsRes": {{"RAINMAKER-PGR": {{"ServiceDefs": {list}}}}}}}"#),
        ] {
            let services = services(&json).unwrap();
            assert_eq!(
                (services[0].service_code.text.as_str(), services[0].name.text.as_str()),
                ("7", "a b"),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_no_json_or_of_another_shape_is_told_with_line_and_column() {
        let shape = |json: &str| match services(json).unwrap_err() {
            DigitError::Shape { line, column, problem, .. } => (line, column, problem),
            other => panic!("{json}: {other:?}"),
        };
        assert_eq!(shape("{}"), (1, 2, "there is no 'ServiceDefs'".to_owned()));
        assert_eq!(shape("7").2, "invalid type: integer `7`, expected the list 'ServiceDefs'");
        assert_eq!(shape("{\n \"ServiceDefs\": null}").0, 2);
        assert_eq!(shape("[\n\n[\"A\", \"B\"]]").2, "invalid type: sequence, expected an object");
        let (line, column, problem) = shape("[{\"name\": \"पानी\",\n \"नाम\": 1, \"name\": [1]}]");
        assert_eq!((line, problem.as_str()), (2, "duplicate field `name`"), "{column}");
        assert_eq!(shape("[{\"name\": {}}]").2, "invalid type: map, expected a text, a number, true or false");
        let many = format!("[{}{{}}]", "{},".repeat(MAX_ENTRIES));
        assert_eq!(shape(&many).2, "more than 10000 entries");
        let not_json = |json: &str| match services(json).unwrap_err() {
            DigitError::NotJson { line, column, problem, .. } => (line, column, problem),
            other => panic!("{json}: {other:?}"),
        };
        assert_eq!(not_json(""), (1, 1, "EOF while parsing a value".to_owned()));
        assert_eq!(not_json("[\n {\"name\": \"नल\"},\n]").0, 3);
        // In characters, not in bytes.
        assert_eq!(not_json("[{\"name\": \"नल\" \"x\"}]").1, 16);
        assert_eq!(not_json("[] x").1, 4);
        assert_eq!(not_json(&"{\"MdmsRes\":".repeat(1_000)).2, "recursion limit exceeded");
        let latin = entries::<ServiceDef>(DigitFile::ServiceDefs, b"[\n\"caf\xe9\"]").unwrap_err();
        assert_eq!(latin, DigitError::NotUtf8 { file: DigitFile::ServiceDefs, line: 2, column: 5 });
        let large = entries::<DepartmentDef>(DigitFile::Departments, &vec![b' '; MAX_BYTES + 1]).unwrap_err();
        assert_eq!(large, DigitError::TooLarge { file: DigitFile::Departments, bytes: MAX_BYTES + 1 });
    }
}
