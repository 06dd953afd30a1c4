//! The page of a sweep: one file that needs no other, best first.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::{Error, picture};
use super::{Row, Table};

/// Longest edge of a drawing on the page; px.
const EDGE_PX: u32 = 480;

const STYLE: &str = "
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 2rem; }
.line { display: flex; flex-wrap: wrap; gap: 1rem; padding: 1rem 0; }
.line + .line { border-top: 1px solid #8884; }
figure { margin: 0; width: 290px; }
img { width: 100%; background: white; box-shadow: 0 0 4px #0004; }
figcaption { overflow-wrap: anywhere; }
b { font-size: 1.2em; }
";

/// The page of a table whose runs are in `folder`. Pictures are inside; the drawings are linked.
///
/// # Errors
/// When a drawing's picture can't be read.
pub fn page(table: &Table, folder: &Path) -> Result<String, Error> {
    let (name, about) = (escaped(&table.name), escaped(&table.about));
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{name}</h1>\n<p>{about}</p>\n"
    );
    for line in table.lines() {
        html += "<div class=\"line\">\n";
        for row in line {
            html += &figure(row, folder)?;
        }
        html += "</div>\n";
    }
    html += "</body>\n</html>\n";
    Ok(html)
}

fn figure(row: &Row, folder: &Path) -> Result<String, Error> {
    let path = folder.join(&row.folder).join("drawing.png");
    let bytes = std::fs::read(&path).map_err(Error::at(&path))?;
    let drawing = image::load_from_memory(&bytes)?;
    let most = EDGE_PX.min(drawing.width().max(drawing.height()));
    let small =
        picture::to_png(&drawing.resize(most, most, image::imageops::FilterType::Triangle).into_rgb8())?;
    let mut figure = String::from("<figure>");
    let words = row.words();
    let alt = escaped(&words.join(", "));
    // Writing to a string never fails.
    let _ = write!(
        figure,
        "<a href=\"{}/drawing.svg\"><img alt=\"{alt}\" src=\"data:image/png;base64,{}\"></a>\n<figcaption><b>{:.1}</b> \
         {:.0} % white, {} strokes, {:.1} m",
        escaped(&row.folder),
        BASE64.encode(small),
        row.excitation.tuned,
        row.white * 100.0,
        row.strokes,
        row.metres,
    );
    for word in &words {
        let _ = write!(figure, "<br>{}", escaped(word));
    }
    let pens: Vec<&str> = row.pens.iter().map(|pen| pen.id.as_str()).collect();
    let _ = writeln!(figure, "<br>{}</figcaption></figure>", escaped(&pens.join(", ")));
    Ok(figure)
}

/// Text as HTML shows it, in elements and attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            _ => safe.push(letter),
        }
    }
    safe
}
