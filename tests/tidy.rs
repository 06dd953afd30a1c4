//! House rules that Cargo can't keep, read from the sources as text: who may import whom inside `src/core`, and who may
//! touch what.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Floor table of `src/core`: a module and the modules that it may use. Between crates Cargo keeps the order.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("kind", &[]),
    ("units", &[]),
    ("config", &[]),
    ("text", &[]),
    ("geometry", &["units"]),
    ("color", &["units"]),
    ("pens", &["units", "color", "config", "text"]),
    ("machine", &["units", "geometry", "config"]),
    ("drawing", &["geometry", "color", "pens", "text", "units"]),
    ("toolpath", &["drawing", "pens", "machine", "geometry"]),
];

/// Who may open files.
const FILES: [&str; 7] = [
    "cli/",
    "app/files.rs",
    "app/fetch.rs",
    "app/catalog/",
    "job/",
    "generator/experiment/",
    "generator/weights/",
];

/// A text that may stand only in files whose path begins with one of these.
const ONLY_IN: [(&str, &[&str]); 14] = [
    ("lyon::", &["core/geometry/"]),
    ("i_overlay::", &["core/geometry/"]),
    ("serialport::", &["job/transport/"]),
    ("Instant::now", &["job/", "cli/"]),
    ("SystemTime", &["job/", "cli/"]),
    ("thread::sleep", &["job/", "app/fetch.rs", "cli/"]),
    ("time::sleep", &["job/", "cli/"]),
    ("rand::rng", &[]),
    ("from_os_rng", &[]),
    ("fs::", &FILES),
    ("File::", &FILES),
    ("_mm_per_min", &["core/units.rs", "protocol/grbl/encode.rs", "sim/grbl/"]),
    ("println!", &["cli/"]),
    ("eprint", &["cli/"]),
];

/// Words of the firmwares as they begin in a string, for all three dialects.
const FIRMWARE_WORDS: [&str; 26] = [
    "\"$X", "\"$H", "\"$J", "\"$G", "\"$I", "\"$#", "\"G1", "\"G5", "\"M3", "\"HM,", "\"EM,", "\"SC,",
    "\"SP,", "\"CU,", "\"QC", "\"QE", "\"QG", "\"QL", "\"QS", "\"PU", "\"PD", "\"PA", "\"OA;", "\"OE;",
    "\\x1b.", "0x18",
];

/// Who speaks to a machine, or is one.
const SPEAKERS: [&str; 3] = ["protocol/", "core/machine/", "sim/"];

/// Longest file, in lines: a room that grows past it is split by what it holds.
const LONGEST: usize = 600;

#[test]
fn the_sources_keep_the_house_rules() {
    let sources = sources();
    assert!(sources.len() > 30, "the sources were found");
    let broken = violations(&sources);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn made_up_violations_are_found() {
    for (path, text, expected) in [
        ("core/units.rs", "use crate::{config, pens::Pen};", "units may not use pens"),
        ("core/drawing/page.rs", "let plan = crate::toolpath::plan();", "drawing may not use toolpath"),
        ("core/toolpath/order.rs", "let now = std::time::Instant::now();", "`Instant::now` belongs in"),
        ("core/pens/inventory.rs", "std::fs::read(path)", "`fs::` belongs in"),
        ("core/color/ink.rs", "println!(\"hello\")", "`println!` belongs in"),
        ("job/manual/mod.rs", "link.send(b\"$X\\n\".to_vec())?;", "`\"$X` is a word of a firmware"),
        ("cli/device.rs", "link.send(b\"\\x1b.K\".to_vec())?;", "is a word of a firmware"),
        ("core/attic/box.rs", "fn nothing() {}", "attic has no row in the floor table"),
    ] {
        let sources = BTreeMap::from([(path.to_owned(), text.to_owned())]);
        let found = violations(&sources);
        assert!(found.iter().any(|line| line.contains(expected)), "{path}: {found:?}");
    }
    let long = BTreeMap::from([("core/units.rs".to_owned(), "\n".repeat(LONGEST + 1))]);
    assert!(violations(&long)[0].contains("lines"));
}

#[test]
fn every_golden_file_is_used() {
    let mut texts = String::new();
    for (_, text) in read_tree(Path::new("tests"), "rs").into_iter().chain(sources()) {
        texts.push_str(&text);
    }
    let kept =
        ["tests/golden", "src/app/tests/golden", "src/protocol/tests/golden", "src/core/tests/fixtures"];
    for folder in kept.into_iter().chain(["src/generator/tests/fixtures"]) {
        let entries = fs::read_dir(folder).unwrap();
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.split('.').next().unwrap();
            assert!(texts.contains(stem), "{folder}/{name} is named by no test: delete it");
        }
    }
}

fn sources() -> BTreeMap<String, String> {
    read_tree(Path::new("src"), "rs")
}

fn read_tree(root: &Path, extension: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn violations(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, text) in sources {
        let tests = path.ends_with("tests.rs") || path.contains("/benches/") || path.contains("/examples/");
        let code = if tests { String::new() } else { code_of(text) };
        broken.extend(import_violations(path, &code));
        for (word, homes) in ONLY_IN {
            if code.contains(word) && !homes.iter().any(|home| path.starts_with(home)) {
                broken.push(format!("src/{path}: `{word}` belongs in {homes:?}"));
            }
        }
        let speaks = SPEAKERS.iter().any(|home| path.starts_with(home));
        if let Some(word) = FIRMWARE_WORDS.iter().find(|word| !speaks && code.contains(**word)) {
            broken.push(format!("src/{path}: `{word}` is a word of a firmware, and belongs in {SPEAKERS:?}"));
        }
        if text.lines().count() > LONGEST {
            broken.push(format!("src/{path}: more than {LONGEST} lines"));
        }
    }
    broken
}

/// The text without comments and without the unit tests at its end.
fn code_of(text: &str) -> String {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    production.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn import_violations(path: &str, code: &str) -> Vec<String> {
    let Some(inner) = path.strip_prefix("core/") else { return Vec::new() };
    let module = inner.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    if module == "lib" || inner.starts_with("benches/") || inner.starts_with("examples/") {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("src/{path}: {module} has no row in the floor table")];
    };
    let wrong = |used: &String| used != module && !allowed.contains(&used.as_str());
    let mut used: Vec<String> = imports(code);
    used.retain(wrong);
    used.dedup();
    used.into_iter().map(|used| format!("src/{path}: {module} may not use {used}")).collect()
}

/// The crate's own modules that `code` names, as `crate::name` or in `use crate::{name, …}`.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for tail in code.split("crate::").skip(1) {
        match tail.strip_prefix('{') {
            None => found.push(word(tail)),
            Some(group) => found.extend(top_level(group).iter().map(|part| word(part.trim()))),
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_lowercase()));
    found
}

/// The parts between the commas of a brace group, the groups inside it left whole.
fn top_level(group: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always a part").push(c);
    }
    parts
}
