//! Which pens a job is for: sets by name or file, pens by id.

use std::path::{Path, PathBuf};

use super::folders;
use crate::{Error, files};
use traceur_core::config;
use traceur_core::pens::{BUILT_IN, Inventory, Pen};

/// Longest pen file that is read; bytes.
const LONGEST: u64 = 1_000_000;

/// A set and where it is kept.
#[derive(Debug, Clone)]
pub struct Set {
    /// What it is called on the command line.
    pub name: String,
    /// Its file; `None`: built in.
    pub file: Option<PathBuf>,
    text: String,
}

impl Set {
    fn built_in((id, text): (&str, &str)) -> Self {
        Self { name: id.into(), file: None, text: text.into() }
    }

    fn read(name: &str, path: &Path) -> Result<Self, Error> {
        let text = read_text(path)?;
        Ok(Self { name: name.into(), file: Some(path.to_owned()), text })
    }

    /// Where it is from, for messages.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.file {
            Some(path) => path.display().to_string(),
            None => format!("built-in {}", self.name),
        }
    }

    /// Its TOML text.
    #[must_use]
    pub fn toml(&self) -> &str {
        &self.text
    }

    /// Its pens.
    ///
    /// # Errors
    /// What is wrong with its text.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        Ok(Inventory::parse(&self.source(), &self.text)?)
    }
}

/// The TOML text of a pen file.
///
/// # Errors
/// When it can't be read, or has more than 1 MB.
pub fn read_text(path: &Path) -> Result<String, Error> {
    if let Ok(facts) = std::fs::metadata(path)
        && facts.len() > LONGEST
    {
        return Err(Error::Input(format!(
            "{}: {:.1} MB is too long for a file of pens, which has 1 MB at most",
            path.display(),
            facts.len() as f64 / 1e6
        )));
    }
    files::read_text(path)
}

/// The user's own sets, by name; then the built-in ones that none of them replaces.
///
/// # Errors
/// When one of the files can't be read.
pub fn sets() -> Result<Vec<Set>, Error> {
    let mut sets = Vec::new();
    for (name, path) in own_files() {
        sets.push(Set::read(&name, &path)?);
    }
    let own: Vec<String> = sets.iter().map(|set| set.name.clone()).collect();
    sets.extend(BUILT_IN.into_iter().filter(|(id, _)| !own.iter().any(|own| own == id)).map(Set::built_in));
    Ok(sets)
}

/// The names and files of the user's own sets, sorted.
fn own_files() -> Vec<(String, PathBuf)> {
    let entries = folders::pens().and_then(|folder| std::fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let is_set = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let name =
        |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned()).filter(|name| !name.starts_with('.'));
    let mut own: Vec<(String, PathBuf)> =
        paths.filter(is_set).filter_map(|path| Some((name(&path)?, path))).collect();
    own.sort();
    own
}

/// A pen that was chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The pen, with an id that no other chosen one has.
    pub pen: Pen,
    /// Its id in its own file.
    pub id: String,
    /// The file that it is kept in; `None`: built in.
    pub file: Option<PathBuf>,
    /// The set's name, without folders.
    pub set: String,
}

/// Pens by set, by `SET:id,id`, or by id: see [`choose_with_files`].
///
/// # Errors
/// As there.
pub fn choose(text: &str) -> Result<Vec<Pen>, Error> {
    Ok(choose_with_files(text)?.into_iter().map(|chosen| chosen.pen).collect())
}

/// Pens by `SET` (an own or built-in name, or a TOML file), and by a list of `id`, `SET` and `SET:id`; an id after `SET:id`
/// is of the same set, one before of any: the user's own first.
///
/// # Errors
/// What is not there, with what is near; sets that can't be read.
pub fn choose_with_files(text: &str) -> Result<Vec<Chosen>, Error> {
    choose_among(text, &mut || sets())
}

fn choose_among(text: &str, sets: &mut dyn FnMut() -> Result<Vec<Set>, Error>) -> Result<Vec<Chosen>, Error> {
    if Path::new(text).is_file() {
        return all_of(&Set::read(text, Path::new(text))?);
    }
    let known = sets()?;
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut of_set: Option<Set> = None;
    let items: Vec<&str> = text.split(',').map(str::trim).collect();
    for item in &items {
        let named = item.rsplit_once(':').filter(|_| !Path::new(item).is_file());
        if let Some((set, id)) = named {
            let set = set_named(set, &known)?;
            chosen.push(one_of(&set, id)?);
            of_set = Some(set);
        } else if let Some(set) = &of_set {
            chosen.push(one_of(set, item)?);
        } else if items.len() == 1 {
            chosen = alone(item, &known)?;
        } else {
            match anywhere(item, &known)? {
                Some(pen) => chosen.push(pen),
                None => chosen.extend(all_of(&set_named(item, &known).map_err(|_| no_pen(item, &known))?)?),
            }
        }
    }
    Ok(distinct(chosen))
}

/// A single word: a set, or else a pen.
fn alone(name: &str, known: &[Set]) -> Result<Vec<Chosen>, Error> {
    match set_named(name, known) {
        Ok(set) => all_of(&set),
        Err(no_set) => match anywhere(name, known)? {
            Some(pen) => Ok(vec![pen]),
            None => Err(no_set),
        },
    }
}

/// A set by name or file.
///
/// # Errors
/// When there is none, or it can't be read.
pub fn find_set(name: &str) -> Result<Set, Error> {
    if Path::new(name).is_file() {
        return Set::read(name, Path::new(name));
    }
    set_named(name, &sets()?)
}

fn set_named(name: &str, known: &[Set]) -> Result<Set, Error> {
    if let Some(set) = known.iter().find(|set| set.name == name) {
        return Ok(set.clone());
    }
    let path = Path::new(name);
    if path.exists() || path.extension().is_some() || files::is_dash(path) {
        return Set::read(name, path);
    }
    let names: Vec<&str> = known.iter().map(|set| set.name.as_str()).collect();
    let guess = config::nearest(name, names.iter().copied())
        .map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
    Err(Error::Input(format!(
        "no pen set `{name}`{guess}: there are {}; or give a TOML file",
        names.join(", ")
    )))
}

fn no_pen(id: &str, known: &[Set]) -> Error {
    let all: Vec<String> = known
        .iter()
        .filter_map(|set| set.inventory().ok())
        .flat_map(|inventory| inventory.pens.into_iter().map(|pen| pen.id))
        .collect();
    let guess = config::nearest(id, all.iter().map(String::as_str));
    let guess = guess.map_or(String::new(), |id| format!(" (did you mean `{id}`?)"));
    let names: Vec<&str> = known.iter().map(|set| set.name.as_str()).collect();
    Error::Input(format!("no pen or set `{id}`{guess}: the sets are {}", names.join(", ")))
}

/// The first pen of this id in any set.
fn anywhere(id: &str, known: &[Set]) -> Result<Option<Chosen>, Error> {
    for set in known {
        if let Some(pen) = set.inventory()?.pens.into_iter().find(|pen| pen.id == id) {
            return Ok(Some(chosen(set, pen)));
        }
    }
    Ok(None)
}

fn one_of(set: &Set, id: &str) -> Result<Chosen, Error> {
    Ok(chosen(set, set.inventory()?.pen(id)?.clone()))
}

fn all_of(set: &Set) -> Result<Vec<Chosen>, Error> {
    Ok(set.inventory()?.pens.into_iter().map(|pen| chosen(set, pen)).collect())
}

fn chosen(set: &Set, pen: Pen) -> Chosen {
    let id = pen.id.clone();
    let stem =
        Path::new(&set.name).file_stem().map_or(set.name.clone(), |stem| stem.to_string_lossy().into_owned());
    Chosen { pen, id, file: set.file.clone(), set: stem }
}

/// Each pen once and with an id of its own; where two want one slot of the carousel, the order of passes decides.
fn distinct(mut pens: Vec<Chosen>) -> Vec<Chosen> {
    let mut kept: Vec<Chosen> = Vec::new();
    for mut next in pens.drain(..) {
        if kept.iter().any(|pen| pen.id == next.id && pen.set == next.set && pen.file == next.file) {
            continue;
        }
        if kept.iter().any(|pen| pen.pen.id == next.pen.id) {
            let ids: Vec<&str> = kept.iter().map(|pen| pen.pen.id.as_str()).collect();
            next.pen.id = traceur_core::pens::unique(&format!("{}.{}", next.set, next.id), &ids);
        }
        kept.push(next);
    }
    let slots: Vec<u32> = kept.iter().filter_map(|chosen| chosen.pen.slot).collect();
    let collide = slots.iter().enumerate().any(|(index, slot)| slots[..index].contains(slot));
    let mixed = kept.iter().any(|chosen| chosen.set != kept[0].set);
    if collide && mixed {
        kept.iter_mut().for_each(|chosen| chosen.pen.slot = None);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str, ids: &[&str]) -> Set {
        let mut text = format!("format = 1\nid = \"{name}\"\nname = \"x\"\n");
        for (slot, id) in (1..).zip(ids) {
            text += &format!(
                "[[pen]]\nid = \"{id}\"\nname = \"{name} {id}\"\ncolor = \"#123456\"\ntip = \"1mm\"\nslot = {slot}\n"
            );
        }
        Set { name: name.into(), file: Some(format!("{name}.toml").into()), text }
    }

    fn choose_with_own(text: &str) -> Result<Vec<Chosen>, Error> {
        choose_among(text, &mut || {
            let mut sets = vec![own("stabilo", &["41", "44", "red"]), own("x", &["only"])];
            sets.extend(BUILT_IN.into_iter().map(Set::built_in));
            Ok(sets)
        })
    }

    /// The chosen pens as `set/id`.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let pens = choose_with_own(text).unwrap();
        let pens: Vec<String> = pens.iter().map(|pen| format!("{}/{}", pen.set, pen.pen.id)).collect();
        assert_eq!(pens, expected);
    }

    #[test]
    fn pens_are_named_across_sets() {
        check("black,red,stabilo:44", &["cmyk/black", "stabilo/red", "stabilo/44"]);
        check("stabilo:44,41,cmyk:cyan,yellow", &["stabilo/44", "stabilo/41", "cmyk/cyan", "cmyk/yellow"]);
        check("black", &["black/black"]);
        check("only", &["x/only"]);
        check("x,44", &["x/only", "stabilo/44"]);
        check("cmyk:cyan,cyan", &["cmyk/cyan"]);
    }

    #[test]
    fn pens_of_one_id_stay_two_pens() {
        check("cmyk:black,black:black", &["cmyk/black", "black/black.black"]);
        check("red,fineliner-12:red", &["stabilo/red", "fineliner-12/fineliner-12.red"]);
    }

    #[test]
    fn slots_that_collide_between_sets_are_left_to_the_order() {
        let slots = |text| choose_with_own(text).unwrap().iter().map(|pen| pen.pen.slot).collect::<Vec<_>>();
        assert_eq!(slots("stabilo:41,cmyk:cyan"), [None, None]);
        assert_eq!(slots("stabilo:41,cmyk:magenta"), [Some(1), Some(2)]);
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is_near() {
        for (text, expected) in [
            ("cmky", "no pen set `cmky` (did you mean `cmyk`?)"),
            ("cmyk:blakc", "no pen `blakc` in `cmyk` (did you mean `black`?)"),
            ("blakc,red", "no pen or set `blakc` (did you mean `black`?)"),
            ("nowhere.toml", "nowhere.toml"),
            ("", "no pen set ``"),
        ] {
            let error = choose_with_own(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
