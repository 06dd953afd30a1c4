//! Machine profiles: built in, the user's own, and files; and changes to them that keep their comments.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::folders;
use crate::{Error, files};
use traceur_core::config;
use traceur_core::machine::{BUILT_IN, Profile};

/// A profile by TOML file, the user's own id, or built-in id.
///
/// # Errors
/// When there is none, with what is near; and when it is not sound.
pub fn choose(machine: &str) -> Result<Profile, Error> {
    let (name, text) = text_of(machine)?;
    Ok(Profile::parse(&name, &text)?)
}

/// The same, with its TOML text.
///
/// # Errors
/// As [`choose`].
pub fn choose_with_text(machine: &str) -> Result<(Profile, String), Error> {
    let (name, text) = text_of(machine)?;
    Ok((Profile::parse(&name, &text)?, text))
}

/// A profile's name for messages, and its TOML text.
///
/// # Errors
/// When there is none, with what is near.
pub fn text_of(machine: &str) -> Result<(String, String), Error> {
    let path = Path::new(machine);
    if path.extension().is_none()
        && let Some((_, own)) = own_profiles().into_iter().find(|(id, _)| id == machine)
    {
        return Ok((own.display().to_string(), files::read_text(&own)?));
    }
    if let Some((id, text)) = BUILT_IN.iter().find(|(id, _)| *id == machine) {
        return Ok((format!("built-in {id}"), (*text).to_owned()));
    }
    if !path.exists() && path.extension().is_none() {
        let own = own_profiles().into_iter().map(|(id, _)| id);
        let ids: Vec<String> = BUILT_IN.iter().map(|(id, _)| (*id).to_owned()).chain(own).collect();
        let near = config::nearest(machine, ids.iter().map(String::as_str));
        let guess = near.map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
        return Err(Error::Input(format!(
            "no machine `{machine}`{guess}: there are {}; or give a TOML file",
            ids.join(", ")
        )));
    }
    Ok((machine.to_owned(), files::read_text(path)?))
}

/// Changes keys of the profile that `machine` names, comments kept: in its own file, or in a copy in the user's own folder of
/// a built-in one, which `machine` names from then on. Gives the file's path.
///
/// # Errors
/// When there is no such profile, a setting is none, the result would not be sound, or it can't be written.
pub fn amend(machine: &str, settings: &[String]) -> Result<PathBuf, Error> {
    let (name, text) = text_of(machine)?;
    let path = match BUILT_IN.iter().any(|(id, _)| name == format!("built-in {id}")) {
        true => own_folder()?.join(file_name(machine)?),
        false => PathBuf::from(&name),
    };
    let mut document: DocumentMut = text.parse().map_err(|error| Error::Input(format!("{name}: {error}")))?;
    settings.iter().try_for_each(|setting| change(&mut document, setting))?;
    let text = document.to_string();
    Profile::parse(&name, &text)?;
    make_folder_of(&path)?;
    files::write(&path, text.as_bytes())?;
    Ok(path)
}

/// The ids of the user's own profiles, which are their files' names, sorted.
fn own_profiles() -> Vec<(String, PathBuf)> {
    let entries = folders::machines().and_then(|folder| std::fs::read_dir(folder).ok());
    let path = |entry: std::io::Result<std::fs::DirEntry>| entry.ok().map(|entry| entry.path());
    let mut own: Vec<(String, PathBuf)> = entries
        .into_iter()
        .flatten()
        .filter_map(path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    own.sort();
    own
}

/// Every profile with where it is from: the built-in ones that none of the user's own replaces, then those; and what is wrong
/// with those that can't be read.
///
/// # Errors
/// When a built-in one can't be read.
pub fn all() -> Result<(Vec<(Profile, String)>, Vec<Error>), Error> {
    let own = own_profiles();
    let (mut profiles, mut broken) = (Vec::new(), Vec::new());
    for (id, text) in BUILT_IN.iter().filter(|(id, _)| !own.iter().any(|(own, _)| own == id)) {
        profiles.push((Profile::parse(id, text)?, "built in".to_owned()));
    }
    for (_, path) in own {
        let name = path.display().to_string();
        match files::read_text(&path).and_then(|text| Ok(Profile::parse(&name, &text)?)) {
            Ok(profile) => profiles.push((profile, name)),
            Err(error) => broken.push(error),
        }
    }
    Ok((profiles, broken))
}

/// The TOML text of a new profile `id`, made from the one that `from` names by `KEY=VALUE` settings; comments are kept.
///
/// # Errors
/// When there is no such profile, a setting is none, or the result would not be sound.
pub fn derived(id: &str, from: &str, settings: &[String]) -> Result<String, Error> {
    let (name, text) = text_of(from)?;
    let mut document: DocumentMut = text.parse().map_err(|error| Error::Input(format!("{name}: {error}")))?;
    document["id"] = toml_edit::value(id);
    settings.iter().try_for_each(|setting| change(&mut document, setting))?;
    let text = document.to_string();
    Profile::parse(&format!("new profile {id}"), &text)?;
    Ok(text)
}

/// Writes a new profile, never over a file that is there: it may be somebody's work.
///
/// # Errors
/// When there is one, or it can't be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    if path.exists() {
        return Err(Error::Input(format!("{}: is there already; give another id or -o", path.display())));
    }
    make_folder_of(path)?;
    files::write(path, text.as_bytes())
}

/// Changes a key of a profile: the value is TOML if it can be, else a text.
fn change(document: &mut DocumentMut, setting: &str) -> Result<(), Error> {
    let wrong = |why: &str| Error::Input(format!("--set {setting}: {why}, such as `--set bed.width=300mm`"));
    let (keys, value) = setting.split_once('=').ok_or_else(|| wrong("write KEY=VALUE"))?;
    let value: Value = value.trim().parse().unwrap_or_else(|_| Value::from(value.trim()));
    let mut keys: Vec<&str> = keys.split('.').map(str::trim).collect();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(|| wrong("the key is empty"))?;
    let mut at = document.as_table_mut();
    for key in keys {
        let next = at.entry(key).or_insert_with(|| Item::Table(Table::new()));
        at = next.as_table_mut().ok_or_else(|| wrong("the key goes through a value"))?;
    }
    let mut value = value;
    if let Some(old) = at.get(last).and_then(Item::as_value) {
        // What stands behind it is often a comment.
        *value.decor_mut() = old.decor().clone();
    }
    at[last] = Item::Value(value);
    Ok(())
}

/// Where the user's own profiles are kept.
///
/// # Errors
/// Without a home folder.
pub fn own_folder() -> Result<PathBuf, Error> {
    let none = || Error::Input("there is no home folder to keep it in: give a place with -o".into());
    folders::machines().ok_or_else(none)
}

/// The name of a profile's file.
///
/// # Errors
/// When `id` has other characters than letters, digits, - and _.
pub fn file_name(id: &str) -> Result<String, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if id.is_empty() || !id.chars().all(plain) {
        return Err(Error::Input(format!("`{id}` is no id for a machine: use letters, digits, - and _")));
    }
    Ok(format!("{id}.toml"))
}

fn make_folder_of(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| Error::Input(format!("{}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amended_profile_keeps_its_comments() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let (_, built_in) = BUILT_IN[0];
        std::fs::write(&path, built_in).unwrap();
        let name = path.to_str().unwrap();
        let settings = ["lift.up_s=320".to_owned(), "lift.down_delay=200ms".to_owned()];
        assert_eq!(amend(name, &settings).unwrap(), path);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed: Vec<_> = text.lines().zip(built_in.lines()).filter(|(new, old)| new != old).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(
            changed[0].0.starts_with("up_s = 320 ") && changed[0].0.contains("# yours; S of 0"),
            "{changed:?}"
        );
        assert!(changed[1].0.starts_with("down_delay = \"200ms\" "), "{changed:?}");
        let wrong = amend(name, &["lift.up_s=700".to_owned()]).unwrap_err().to_string();
        assert!(wrong.contains("never move"), "{wrong}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "and nothing is written");
    }
}
