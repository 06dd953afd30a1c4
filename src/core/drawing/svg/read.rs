//! Reading: what other programs wrote becomes a scene.

use resvg::usvg;

use super::layers::{self, Survey};
use super::shapes::{self, Found};
use super::tags::Keyed;
use super::viewer::Viewer;
use super::{MM_PER_PX, door};
use crate::drawing::room;
use crate::drawing::scene::{Scene, Skipped};
use crate::drawing::{Error, Page};

/// An SVG, read once.
#[derive(Debug)]
pub struct Source {
    /// What it shows, to be drawn by pens.
    pub scene: Scene,
    /// What shows it as it is.
    pub viewer: Viewer,
}

/// Reads an SVG; `file` is its name for messages.
///
/// Width and height give the page: mm, cm, in, pt, or px at 96 to the inch. What is on a layer labelled `%` is left out.
///
/// # Errors
/// One sentence, with line and column where there are any: bytes that are no SVG, coordinates that are not finite, too
/// large or too deep.
pub fn read(file: &str, bytes: &[u8]) -> Result<Source, Error> {
    let text = door::text(file, bytes)?;
    room::with_room(file, || read_text(file, &text))
}

fn read_text(file: &str, text: &str) -> Result<Source, Error> {
    let keyed = Keyed::new(text);
    let document = door::parse(file, &keyed)?;
    let survey = layers::survey(file, &keyed, &document)?;
    let tree = shapes::tree(file, &document)?;
    let found = shapes::find(&tree, &survey);
    Ok(Source { scene: scene(file, page(&tree), survey, found), viewer: Viewer::new(file, tree) })
}

fn page(tree: &usvg::Tree) -> Page {
    // usvg's pixels are f32: to the nearest µm they say again what the file said.
    let mm = |px: f32| (f64::from(px) * MM_PER_PX * 1000.0).round() / 1000.0;
    Page { width: mm(tree.size().width()), height: mm(tree.size().height()) }
}

fn scene(file: &str, page: Page, survey: Survey, found: Found) -> Scene {
    let Found { shapes, clips, skipped, changed } = found;
    let Skipped { texts, images, hidden, .. } = survey.skipped;
    let skipped = Skipped { texts, images, hidden: hidden + skipped.hidden, ..skipped };
    Scene { name: file.into(), page, shapes, clips, layers: survey.layers, skipped, changed }
}
