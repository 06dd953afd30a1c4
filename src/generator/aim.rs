//! What is to be excited: a channel, one of its neurons, a whole layer, or several of these with weights.

use std::fmt;
use std::str::FromStr;

use super::network::{Layer, Net, Neuron, ParseNeuronError};

/// One thing to excite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Mean of a channel over the picture: `lite0:b6:24`.
    Channel(Neuron),
    /// A channel at one place, as shares of the picture's width and height: `lite0:b6:24@0.5,0.5`.
    Spot(Neuron, [f64; 2]),
    /// Root of the mean square of a whole layer, rectified: `lite0:b5`. The network dreams.
    Layer(Layer),
}

impl Target {
    /// The layer that must be computed.
    #[must_use]
    pub fn layer(self) -> Layer {
        match self {
            Self::Channel(neuron) | Self::Spot(neuron, _) => neuron.layer(),
            Self::Layer(layer) => layer,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(neuron) => write!(f, "{neuron}"),
            Self::Spot(neuron, [x, y]) => write!(f, "{neuron}@{x},{y}"),
            Self::Layer(layer) => write!(f, "{}:{layer}", layer.net()),
        }
    }
}

/// Targets with weights: `lite0:b6:24`, `lite0:bubbles+lite0:arches*0.5`, `lite0:b9:10@center`, `lite0:b5`,
/// `lite0:b6:24+lite0:b6:41*-0.3`. Never empty; the weights are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    targets: Vec<(Target, f64)>,
}

impl Aim {
    /// The targets and their weights; below 0, a target is to be avoided.
    #[must_use]
    pub fn targets(&self) -> &[(Target, f64)] {
        &self.targets
    }

    /// The network of the first target.
    #[must_use]
    pub fn net(&self) -> Net {
        self.targets[0].0.layer().net()
    }
}

impl From<Neuron> for Aim {
    fn from(neuron: Neuron) -> Self {
        Self { targets: vec![(Target::Channel(neuron), 1.0)] }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (target, weight)) in self.targets.iter().enumerate() {
            f.write_str(if index > 0 { "+" } else { "" })?;
            write!(f, "{target}")?;
            if (weight - 1.0).abs() > f64::EPSILON {
                write!(f, "*{weight}")?;
            }
        }
        Ok(())
    }
}

/// Why a text names nothing to excite.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAimError {
    /// A neuron of it.
    #[error(transparent)]
    Neuron(#[from] ParseNeuronError),
    /// A weight that is no number.
    #[error("`{text}`: `{weight}` is no weight: write a number other than 0, such as lite0:b6:24*0.5")]
    Weight {
        /// The target.
        text: String,
        /// What stands for its weight.
        weight: String,
    },
    /// A place outside the picture.
    #[error(
        "`{text}`: `{place}` is no place: write @center, or shares of the width and the height such as @0.25,0.5"
    )]
    Place {
        /// The target.
        text: String,
        /// What stands for its place.
        place: String,
    },
}

impl FromStr for Aim {
    type Err = ParseAimError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let targets: Result<Vec<_>, _> = text.split('+').map(|part| weighted(part.trim())).collect();
        Ok(Self { targets: targets? })
    }
}

fn weighted(text: &str) -> Result<(Target, f64), ParseAimError> {
    let Some((what, weight)) = text.rsplit_once('*') else { return Ok((target(text)?, 1.0)) };
    let number = weight.trim().parse().ok().filter(|weight: &f64| weight.is_finite() && *weight != 0.0);
    let wrong = || ParseAimError::Weight { text: text.into(), weight: weight.trim().into() };
    Ok((target(what.trim())?, number.ok_or_else(wrong)?))
}

fn target(text: &str) -> Result<Target, ParseAimError> {
    if let Some((neuron, at)) = text.split_once('@') {
        let wrong = || ParseAimError::Place { text: text.into(), place: at.into() };
        return Ok(Target::Spot(neuron.parse()?, place(at).ok_or_else(wrong)?));
    }
    Ok(match Layer::of_net(text) {
        Some(layer) => Target::Layer(layer),
        None => Target::Channel(text.parse()?),
    })
}

fn place(text: &str) -> Option<[f64; 2]> {
    if text == "center" {
        return Some([0.5; 2]);
    }
    let (x, y) = text.split_once(',')?;
    let share = |text: &str| text.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
    Some([share(x)?, share(y)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aims_are_read_as_they_are_written() {
        for text in [
            "lite0:b6:24",
            "lite0:b6:24+lite0:b7:15*0.5",
            "lite0:b6:24+lite0:b6:41*-0.3",
            "lite0:b9:10@0.5,0.25*2",
            "lite0:b5+hed16:conv3_3:166",
        ] {
            assert_eq!(text.parse::<Aim>().unwrap().to_string(), text);
        }
        let read = |text: &str| text.parse::<Aim>().unwrap().to_string();
        assert_eq!(read(" lite0:bubbles + lite0:roof-tiles * 0.5"), "lite0:b6:24+lite0:b6:41*0.5");
        assert_eq!(read("lite0:b9:10@center"), "lite0:b9:10@0.5,0.5");
    }

    #[test]
    fn what_is_no_aim_is_explained() {
        let error = |text: &str| text.parse::<Aim>().unwrap_err().to_string();
        assert!(error("lite0:b6:24*much").contains("`much` is no weight"));
        assert!(error("lite0:b6:24*0").contains("other than 0"));
        assert!(error("lite0:b6:24@3,0").contains("@center"));
        assert!(error("lite0:bubles+lite0:arches").contains("did you mean `bubbles`?"));
        assert!(error("").contains("is not a neuron"));
    }
}
