//! Names of layers and neurons: `lite0:b6:24`, or from the catalogue `lite0:bubbles`.

use super::shape::{BLOCKS, STEM};
use std::fmt;
use std::str::FromStr;

/// Channels that draw something readable, with what they draw: name, block, channel.
pub const CATALOGUE: &[(&str, usize, usize)] = &[
    ("net", 4, 9),
    ("grid", 4, 23),
    ("plaid", 4, 11),
    ("diamonds", 4, 19),
    ("tall-cells", 4, 18),
    ("bricks", 5, 2),
    ("quilt", 5, 12),
    ("fur", 5, 27),
    ("bubbles", 6, 24),
    ("roof-tiles", 6, 41),
    ("fish-scales", 6, 5),
    ("scallops", 6, 27),
    ("grass", 6, 58),
    ("arches", 7, 15),
    ("triangles", 7, 30),
    ("shells", 8, 30),
    ("woven", 9, 11),
    ("stars", 9, 101),
];

/// A layer of a network, from shallow to deep: the stem, or a block's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    stage: usize,
}

impl Layer {
    /// The stem, before its ReLU6.
    pub const STEM: Self = Self { stage: 0 };

    /// The output of block `bN`, if the network has it.
    pub fn block(number: usize) -> Option<Self> {
        (number < BLOCKS.len()).then_some(Self { stage: number + 1 })
    }

    /// All layers, from shallow to deep.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=BLOCKS.len()).map(|stage| Self { stage })
    }

    /// Channels of the layer.
    pub fn channels(self) -> usize {
        match self.stage {
            0 => STEM,
            stage => BLOCKS[stage - 1].outputs,
        }
    }

    /// Picture pixels to one of the layer's, either way.
    pub fn stride(self) -> usize {
        2 * BLOCKS[..self.stage].iter().map(|block| block.stride).product::<usize>()
    }

    /// 0 for the stem, n + 1 for bn.
    pub(super) fn stage(self) -> usize {
        self.stage
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage {
            0 => f.write_str("stem"),
            stage => write!(f, "b{}", stage - 1),
        }
    }
}

/// A network that a neuron can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Net {
    /// EfficientNet-Lite0, stem to b9.
    Lite0,
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lite0")
    }
}

/// One channel of one layer. Read from `lite0:b6:24` or a name of the [`CATALOGUE`] (`lite0:bubbles`); written the
/// first way. The channel always exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Neuron {
    net: Net,
    layer: Layer,
    channel: usize,
}

impl Neuron {
    /// The network.
    pub fn net(self) -> Net {
        self.net
    }

    /// The layer.
    pub fn layer(self) -> Layer {
        self.layer
    }

    /// The channel, from 0.
    pub fn channel(self) -> usize {
        self.channel
    }
}

impl fmt::Display for Neuron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.net, self.layer, self.channel)
    }
}

/// Why a text names no neuron.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNeuronError {
    /// Neither `net:layer:channel` nor `net:name`.
    #[error(
        "`{text}` is not a neuron: write net:layer:channel such as lite0:b6:24, or net:name such as lite0:bubbles"
    )]
    Form {
        /// What was given.
        text: String,
    },
    /// An unknown network.
    #[error("`{text}`: there is no network `{net}`; the network is lite0")]
    Net {
        /// What was given.
        text: String,
        /// Its network.
        net: String,
    },
    /// A layer or catalogue name that the network doesn't have.
    #[error(
        "`{text}`: lite0 has no `{name}` (did you mean `{nearest}`?); layers with their channels: {}; names: {}",
        known_layers(),
        known_names()
    )]
    Name {
        /// What was given.
        text: String,
        /// The part that isn't known.
        name: String,
        /// The known layer or name that is nearest to it.
        nearest: String,
    },
    /// A channel that the layer doesn't have.
    #[error("`{text}`: layer {layer} of lite0 has channels 0 to {}, not `{channel}`", layer.channels() - 1)]
    Channel {
        /// What was given.
        text: String,
        /// The layer.
        layer: Layer,
        /// The part that is no channel of it.
        channel: String,
    },
}

impl FromStr for Neuron {
    type Err = ParseNeuronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split(':');
        let (Some(net), Some(name), channel, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseNeuronError::Form { text: text.into() });
        };
        if net != "lite0" {
            return Err(ParseNeuronError::Net { text: text.into(), net: net.into() });
        }
        let layer = Layer::all().find(|layer| layer.to_string() == name);
        match (layer, channel) {
            (Some(layer), Some(channel)) => {
                let number = channel.parse().ok().filter(|number| *number < layer.channels());
                let unknown =
                    || ParseNeuronError::Channel { text: text.into(), layer, channel: channel.into() };
                Ok(Self { net: Net::Lite0, layer, channel: number.ok_or_else(unknown)? })
            }
            (Some(_), None) => Err(ParseNeuronError::Form { text: text.into() }),
            (None, _) => {
                let entry = CATALOGUE.iter().find(|(known, ..)| *known == name && channel.is_none());
                let neuron = entry.and_then(|(_, block, channel)| {
                    Some(Self { net: Net::Lite0, layer: Layer::block(*block)?, channel: *channel })
                });
                neuron.ok_or_else(|| unknown_name(text, name, channel.is_some()))
            }
        }
    }
}

/// Before a channel only a layer is meant.
fn unknown_name(text: &str, name: &str, layer_meant: bool) -> ParseNeuronError {
    let layers = Layer::all().map(|layer| layer.to_string());
    let names = CATALOGUE.iter().filter(|_| !layer_meant).map(|(name, ..)| (*name).to_owned());
    let likeness = |known: &String| (strsim::jaro_winkler(known, name) * 1e6) as u64;
    let nearest = layers.chain(names).max_by_key(likeness).unwrap_or_default();
    ParseNeuronError::Name { text: text.into(), name: name.into(), nearest }
}

fn known_layers() -> String {
    Layer::all().map(|layer| format!("{layer} {}", layer.channels())).collect::<Vec<_>>().join(", ")
}

fn known_names() -> String {
    CATALOGUE.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neurons_are_read_as_they_are_written() {
        for text in ["lite0:b6:24", "lite0:stem:31", "lite0:b9:111"] {
            assert_eq!(text.parse::<Neuron>().unwrap().to_string(), text);
        }
        assert_eq!("lite0:bubbles".parse::<Neuron>().unwrap().to_string(), "lite0:b6:24");
    }

    #[test]
    fn every_name_of_the_catalogue_is_a_neuron() {
        for (name, block, channel) in CATALOGUE {
            let neuron: Neuron = format!("lite0:{name}").parse().unwrap();
            assert_eq!(neuron.to_string(), format!("lite0:b{block}:{channel}"));
        }
    }

    #[test]
    fn an_error_names_what_is_known() {
        let error = |text: &str| text.parse::<Neuron>().unwrap_err().to_string();
        assert!(error("lite0:bubles").contains("did you mean `bubbles`?"));
        assert!(error("lite0:b10:3").contains("stem 32") && error("lite0:b10:3").contains("b6 80"));
        assert!(error("lite0:b6:80").contains("channels 0 to 79"));
        assert!(error("vgg:b6:80").contains("the network is lite0"));
        assert!(error("b6").contains("lite0:b6:24"));
    }
}
