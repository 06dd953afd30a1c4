//! A toolpath as a file: what `plan -o` writes and what a job keeps.
//!
//! ```text
//! {"format":2, "kind":"traceur-plan", "page_mm":[width,height],
//!  "passes":[{"pen":{"id":…, "tip_mm":…, …}, "strokes":[[[x,y],[x,y],…],…]}, …]}
//! ```
//!
//! Page space, mm; pens as [`form`](crate::pens::form) has them. Numbers are exact: what is read is, to the last bit, what
//! was written. Format 1 had the same names, coordinates rounded to µm, and pens without `supply_mm` and `pass`: it is read.
//! What jobs kept before format 2 (no `kind`, strokes as text) is refused.

use serde::{Deserialize, Serialize};

use super::{Pass, Toolpath};
use crate::drawing::Page;

/// The format that is written, and the newest that is read.
pub const FORMAT: u32 = 2;
const KIND: &str = "traceur-plan";
/// Farther from the page's origin lies no point; mm.
const FARTHEST: f64 = 1e5;

/// Why a text is no toolpath. In one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Other JSON, or none: a key that is unknown or missing, a number that no pen or stroke has.
    #[error("not a plan: {0}")]
    Other(String),
    /// Of another version of the program.
    #[error("a plan of format {0}: this version reads 1 to {FORMAT}")]
    Format(u32),
    /// What a job of an earlier version kept.
    #[error("kept by an earlier version of traceur, in a format that this one does not read")]
    OldJob,
    /// The page has no size, or one that no page has.
    #[error("not a plan: its page makes no sense")]
    Page,
    /// A stroke leaves the world.
    #[error("pen `{pen}`: a stroke goes farther than 100 m")]
    Far {
        /// The pen's id.
        pen: String,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    kind: &'static str,
    page_mm: [f64; 2],
    passes: &'a [Pass],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    format: u32,
    kind: String,
    page_mm: [f64; 2],
    passes: Vec<Pass>,
}

/// What the files of every version have.
#[derive(Deserialize)]
struct Head {
    format: u32,
    kind: Option<String>,
}

/// The toolpath as JSON, in one line. The same toolpath gives the same bytes.
///
/// # Panics
/// Never: it is made of names and numbers, which JSON can say.
#[must_use]
pub fn to_json(toolpath: &Toolpath) -> String {
    let page_mm = [toolpath.page.width, toolpath.page.height];
    let file = Written { format: FORMAT, kind: KIND, page_mm, passes: &toolpath.passes };
    serde_json::to_string(&file).expect("a toolpath is made of names and numbers")
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// Text that is no toolpath of a format that this version reads.
pub fn from_json(bytes: &[u8]) -> Result<Toolpath, Error> {
    let file: Read = serde_json::from_slice(bytes).map_err(|error| explain(bytes, &error))?;
    if file.kind != KIND {
        return Err(Error::Other(format!("its kind is `{}`", file.kind)));
    }
    if !(1..=FORMAT).contains(&file.format) {
        return Err(Error::Format(file.format));
    }
    let page = Page { width: file.page_mm[0], height: file.page_mm[1] };
    if !page.is_sane() {
        return Err(Error::Page);
    }
    let is_far = |pass: &&Pass| {
        let mut points = pass.strokes.iter().flat_map(|stroke| stroke.points());
        points.any(|point| point.x.abs().max(point.y.abs()) >= FARTHEST)
    };
    match file.passes.iter().find(is_far) {
        Some(pass) => Err(Error::Far { pen: pass.pen.id.clone() }),
        None => Ok(Toolpath { page, passes: file.passes }),
    }
}

/// Why it can't be read: for its version, if that is not ours.
fn explain(bytes: &[u8], error: &serde_json::Error) -> Error {
    match serde_json::from_slice(bytes) {
        Ok(Head { format, .. }) if format == 0 || format > FORMAT => Error::Format(format),
        Ok(Head { format: 1, kind: None }) => Error::OldJob,
        _ => Error::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::Srgb8;
    use crate::geometry::{Point, Polyline};
    use crate::pens::Pen;
    use proptest::prelude::*;

    fn toolpath(points: Vec<Point>) -> Toolpath {
        let pen = Pen {
            opacity: 0.3,
            speed: Some(12.5),
            slot: Some(3),
            supply: Some(120_000.0),
            pass: Some(1),
            ..Pen::new("red", "Red", Srgb8::new(200, 35, 43), 0.35)
        };
        let passes = vec![Pass { pen, strokes: vec![Polyline::new(points)] }];
        Toolpath { page: Page { width: 210.0, height: 297.0 }, passes }
    }

    fn line() -> Toolpath {
        toolpath(vec![Point::new(1.0, 2.0), Point::new(30.5, 0.25)])
    }

    fn refused(text: &str) -> String {
        let error = from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    #[test]
    fn the_text_is_what_the_page_of_this_module_says() {
        let expected = "{\"format\":2,\"kind\":\"traceur-plan\",\"page_mm\":[210.0,297.0],\"passes\":[{\"pen\":{\"id\":\"red\",\
            \"name\":\"Red\",\"color\":\"#c8232b\",\"tip_mm\":0.35,\"opacity\":0.3,\"speed_mm_s\":12.5,\"slot\":3,\
            \"supply_mm\":120000.0,\"pass\":1},\"strokes\":[[[1.0,2.0],[30.5,0.25]]]}]}";
        assert_eq!(to_json(&line()), expected);
    }

    #[test]
    fn plans_of_format_1_are_read() {
        let text = "{\"format\":1,\"kind\":\"traceur-plan\",\"page_mm\":[210.0,297.0],\"passes\":[{\"pen\":{\"id\":\"red\",\
            \"name\":\"Red\",\"color\":\"#c8232b\",\"tip_mm\":0.35,\"opacity\":0.3,\"speed_mm_s\":12.5,\"slot\":3},\
            \"strokes\":[[[1.0,2.0],[30.5,0.25]]]}]}";
        let mut expected = line();
        (expected.passes[0].pen.supply, expected.passes[0].pen.pass) = (None, None);
        assert_eq!(from_json(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn jobs_of_format_1_and_newer_files_are_refused_in_one_clear_line() {
        let job = "{\"format\":1,\"page_mm\":[100.0,100.0],\"passes\":[{\"id\":\"red\",\"name\":\"Red\",\"color\":\"#c8232b\",\
            \"tip_mm\":0.35,\"opacity\":0.0,\"speed_mm_s\":null,\"slot\":null,\"metres_mm\":null,\"strokes\":[\"1,2 3,4\"]}]}";
        assert!(refused(job).contains("earlier version"), "{}", refused(job));
        let newer = to_json(&line()).replace("\"format\":2", "\"format\":3");
        assert!(refused(&newer).contains("format 3: this version reads 1 to 2"), "{}", refused(&newer));
        let newer = newer.replace("\"passes\"", "\"layers\"");
        assert!(refused(&newer).contains("format 3"), "{}", refused(&newer));
    }

    #[test]
    fn what_is_no_toolpath_is_refused() {
        let text = to_json(&line());
        let cases = [
            ("30.5", "1e5", "pen `red`: a stroke goes farther than 100 m"),
            (",[30.5,0.25]", "", "two points or more"),
            ("0.35", "0", "pen `red`: a tip of 0 mm"),
            ("\"tip_mm\"", "\"tpi_mm\"", "unknown field `tpi_mm`"),
            ("210.0", "-1", "its page makes no sense"),
            ("traceur-plan", "shopping", "its kind is `shopping`"),
        ];
        for (from, to, expected) in cases {
            let error = refused(&text.replacen(from, to, 1));
            assert!(error.contains(expected), "{error}");
        }
        assert!(refused("").contains("not a plan") && refused("[]").contains("not a plan"));
    }

    proptest! {
        #[test]
        fn every_bit_comes_back(
            points in prop::collection::vec((-9e4_f64..9e4, -1e-3_f64..1e-3), 2..50),
        ) {
            let toolpath = toolpath(points.into_iter().map(Point::from).collect());
            prop_assert_eq!(from_json(to_json(&toolpath).as_bytes()), Ok(toolpath));
        }
    }
}
