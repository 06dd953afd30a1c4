//! `traceur machines`: what can be plotted on.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use toml_edit::{DocumentMut, Item, Table, Value};

use super::terminal::table;
use super::{Failure, Terminal, files, folders};
use traceur_core::config;
use traceur_core::machine::{BUILT_IN, Profile, vpype};

/// List, show and check machine profiles, and make your own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur machines list
  traceur machines new my-plotter --from grbl-servo --set bed.width=300mm --set lift.up_s=250
  traceur machines show axidraw-v3 > my-axidraw.toml
  traceur machines import ~/.vpype.toml
  traceur machines check my-axidraw.toml

A profile of your own that has a built-in one's id is used in its place.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The built-in profiles and your own.
    List,
    /// The TOML text of a profile.
    Show {
        /// An id or a TOML file.
        machine: String,
    },
    /// Say whether TOML files are sound.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Make a profile of your own from another one.
    New {
        /// Its id: a short name.
        id: String,
        /// The profile to begin with: an id or a TOML file.
        #[arg(long, default_value = "grbl-servo")]
        from: String,
        /// A key and its value, such as `bed.width=300mm`; as often as needed.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Where to write it; `-` for stdout. Default: your own folder of machines, where `-m ID` finds it.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Make profiles of the HP-GL devices in a vpype configuration file.
    Import {
        /// The TOML file.
        file: PathBuf,
        /// The folder to write them to. Default: your own folder of machines.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List) {
        Verb::List => list(terminal),
        Verb::Show { machine } => terminal.stdout(text_of(machine)?.1.as_bytes()),
        Verb::Check { files } => check(files, terminal),
        Verb::New { id, from, set, output } => new(id, from, set, output.as_deref(), terminal),
        Verb::Import { file, output } => import(file, output.as_deref(), terminal),
    }
}

/// A profile by TOML file, the user's own id, or built-in id.
pub(super) fn choose(machine: &str) -> Result<Profile, Failure> {
    let (name, text) = text_of(machine)?;
    Ok(Profile::parse(&name, &text)?)
}

/// The same, with its TOML text.
pub(super) fn choose_with_text(machine: &str) -> Result<(Profile, String), Failure> {
    let (name, text) = text_of(machine)?;
    Ok((Profile::parse(&name, &text)?, text))
}

fn text_of(machine: &str) -> Result<(String, String), Failure> {
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
        return Err(Failure::Input(format!(
            "no machine `{machine}`{guess}: there are {}; or give a TOML file",
            ids.join(", ")
        )));
    }
    Ok((machine.to_owned(), files::read_text(path)?))
}

/// Changes keys of the profile that `machine` names, comments kept: in its own file, or in a copy in the user's own folder of
/// a built-in one, which `machine` names from then on. Gives the file's path.
pub(super) fn amend(machine: &str, settings: &[String], terminal: &Terminal) -> Result<PathBuf, Failure> {
    let (name, text) = text_of(machine)?;
    let path = match BUILT_IN.iter().any(|(id, _)| name == format!("built-in {id}")) {
        true => own_folder()?.join(file_name(machine)?),
        false => PathBuf::from(&name),
    };
    let mut document: DocumentMut =
        text.parse().map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    settings.iter().try_for_each(|setting| change(&mut document, setting))?;
    let text = document.to_string();
    Profile::parse(&name, &text)?;
    make_folder_of(&path)?;
    files::write(&path, text.as_bytes(), terminal)?;
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

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let own = own_profiles();
    let mut profiles = Vec::new();
    for (id, text) in BUILT_IN.iter().filter(|(id, _)| !own.iter().any(|(own, _)| own == id)) {
        profiles.push((Profile::parse(id, text)?, "built in".to_owned()));
    }
    for (_, path) in own {
        let name = path.display().to_string();
        match files::read_text(&path).and_then(|text| Ok(Profile::parse(&name, &text)?)) {
            Ok(profile) => profiles.push((profile, name)),
            Err(error) => terminal.warn(error.to_string()),
        }
    }
    let values: Vec<_> = profiles
        .iter()
        .map(|(profile, place)| {
            serde_json::json!({
                "id": &profile.id, "name": &profile.name, "dialect": profile.firmware.dialect(),
                "bed_mm": [profile.bed.width, profile.bed.height], "from": place,
            })
        })
        .collect();
    terminal.result(&serde_json::json!({ "machines": values }), || {
        let rows: Vec<_> = profiles
            .iter()
            .map(|(profile, place)| {
                let bed = format!("{} x {} mm", profile.bed.width, profile.bed.height);
                let dialect = format!("{:?}", profile.firmware.dialect());
                vec![profile.id.clone(), dialect, bed, profile.name.clone(), place.clone()]
            })
            .collect();
        table(&["machine", "speaks", "bed", "name", "from"], &rows)
    })
}

fn check(paths: &[PathBuf], terminal: &Terminal) -> Result<(), Failure> {
    let mut names = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        Profile::parse(&name, &files::read_text(path)?)?;
        names.push(name);
    }
    terminal.result(&serde_json::json!({ "checked": &names }), || {
        names.iter().map(|name| format!("{name}: sound\n")).collect()
    })
}

fn new(
    id: &str,
    from: &str,
    settings: &[String],
    output: Option<&Path>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let (name, text) = text_of(from)?;
    let mut document: DocumentMut =
        text.parse().map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    document["id"] = toml_edit::value(id);
    settings.iter().try_for_each(|setting| change(&mut document, setting))?;
    let text = document.to_string();
    Profile::parse(&format!("new profile {id}"), &text)?;
    let path = match output {
        Some(path) => path.to_owned(),
        None => own_folder()?.join(file_name(id)?),
    };
    write_new(&path, &text, terminal)?;
    if files::is_dash(&path) {
        return Ok(());
    }
    terminal.result(&serde_json::json!({ "written": &path }), || format!("{}: written", path.display()))
}

fn import(file: &Path, output: Option<&Path>, terminal: &Terminal) -> Result<(), Failure> {
    let profiles = vpype::import(&file.display().to_string(), &files::read_text(file)?)?;
    let folder = match output {
        Some(folder) => folder.to_owned(),
        None => own_folder()?,
    };
    let mut written = Vec::new();
    for profile in profiles {
        let path = folder.join(file_name(&profile.id)?);
        write_new(&path, &profile.text, terminal)?;
        profile.skipped.iter().for_each(|skipped| terminal.warn(skipped));
        written.push(path.display().to_string());
    }
    terminal.result(&serde_json::json!({ "written": &written }), || {
        written.iter().map(|path| format!("{path}: written\n")).collect()
    })
}

/// Changes a key of a profile: the value is TOML if it can be, else a text.
fn change(document: &mut DocumentMut, setting: &str) -> Result<(), Failure> {
    let wrong =
        |why: &str| Failure::Input(format!("--set {setting}: {why}, such as `--set bed.width=300mm`"));
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

fn own_folder() -> Result<PathBuf, Failure> {
    let none = || Failure::Input("there is no home folder to keep it in: give a place with -o".into());
    folders::machines().ok_or_else(none)
}

fn file_name(id: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if id.is_empty() || !id.chars().all(plain) {
        return Err(Failure::Input(format!("`{id}` is no id for a machine: use letters, digits, - and _")));
    }
    Ok(format!("{id}.toml"))
}

/// Never over a file that is there: it may be somebody's work.
fn write_new(path: &Path, text: &str, terminal: &Terminal) -> Result<(), Failure> {
    if !files::is_dash(path) {
        if path.exists() {
            return Err(Failure::Input(format!(
                "{}: is there already; give another id or -o",
                path.display()
            )));
        }
        make_folder_of(path)?;
    }
    files::write(path, text.as_bytes(), terminal)
}

fn make_folder_of(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| Failure::Input(format!("{}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Talk;

    #[test]
    fn an_amended_profile_keeps_its_comments() {
        let terminal = Terminal::new(&Talk { json: false, quiet: true, verbose: 0, color: "never".into() });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let (_, built_in) = BUILT_IN[0];
        std::fs::write(&path, built_in).unwrap();
        let name = path.to_str().unwrap();
        let settings = ["lift.up_s=320".to_owned(), "lift.down_delay=200ms".to_owned()];
        assert_eq!(amend(name, &settings, &terminal).unwrap(), path);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed: Vec<_> = text.lines().zip(built_in.lines()).filter(|(new, old)| new != old).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(
            changed[0].0.starts_with("up_s = 320 ") && changed[0].0.contains("# yours; S of 0"),
            "{changed:?}"
        );
        assert!(changed[1].0.starts_with("down_delay = \"200ms\" "), "{changed:?}");
        let wrong = amend(name, &["lift.up_s=700".to_owned()], &terminal).unwrap_err().to_string();
        assert!(wrong.contains("never move"), "{wrong}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "and nothing is written");
    }
}
