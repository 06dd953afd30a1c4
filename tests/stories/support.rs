//! A bench: a folder of its own and the program to run in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `traceur` with these words, separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.start(words, &[], b"")
    }

    /// Runs `traceur` with an environment and bytes on stdin.
    pub(crate) fn start(&self, words: &str, environment: &[(&str, &str)], stdin: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_traceur"))
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            // What the person who runs the tests owns is not looked at.
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its stdin may have closed it already.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran {
            code: status.code().expect("it was not killed"),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The names of all files in the bench's folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        files_below(self.folder.path())
    }
}

pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            names.extend(files_below(&entry.path()).iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

impl Ran {
    /// Its stdout as JSON, when it ended well.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        self.done();
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    #[track_caller]
    pub(crate) fn done(&self) -> &Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// One clear line on stderr, nothing on stdout, exit code 2.
    #[track_caller]
    pub(crate) fn refused(&self, expected: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        let errors: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(errors.len(), 1, "one line: {}", self.stderr);
        for part in expected {
            assert!(errors[0].contains(part), "`{part}` in: {}", errors[0]);
        }
    }
}

/// A page of 100 x 80 mm with three strokes in two colors, one of them reaching off the page.
pub(crate) const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="80mm" viewBox="0 0 100 80">
<path d="M10 10 H60" fill="none" stroke="#191919" stroke-width="0.5"/>
<path d="M90 70 C70 40 40 70 20 60" fill="none" stroke="#cd192d" stroke-width="0.5"/>
<path d="M60 11 V40" fill="none" stroke="#191919" stroke-width="0.5"/>
<circle cx="50" cy="40" r="8" fill="none" stroke="#cd192d" stroke-width="0.5"/>
</svg>
"##;
