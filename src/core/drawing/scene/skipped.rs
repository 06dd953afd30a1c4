//! What is left out of a drawing, by reason.

/// How many elements were left out, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Texts: convert them to paths.
    pub texts: usize,
    /// Pictures.
    pub images: usize,
    /// Not displayed.
    pub hidden: usize,
    /// With neither stroke nor fill, or dots without a round or square cap.
    pub unpainted: usize,
    /// With a fill only, under [`Fill::None`](super::Fill::None).
    pub filled: usize,
    /// White on white.
    pub paper_colored: usize,
    /// More than 1 km off the page.
    pub far: usize,
    /// On a layer whose label begins with `%`.
    pub left_out: usize,
    /// Outside their clip path altogether.
    pub clipped: usize,
    /// Below filled shapes altogether.
    pub hidden_below: usize,
}

impl Skipped {
    /// The sums of both.
    #[must_use]
    pub(in crate::drawing) fn and(self, other: Self) -> Self {
        Self {
            texts: self.texts + other.texts,
            images: self.images + other.images,
            hidden: self.hidden + other.hidden,
            unpainted: self.unpainted + other.unpainted,
            filled: self.filled + other.filled,
            paper_colored: self.paper_colored + other.paper_colored,
            far: self.far + other.far,
            left_out: self.left_out + other.left_out,
            clipped: self.clipped + other.clipped,
            hidden_below: self.hidden_below + other.hidden_below,
        }
    }

    /// The reasons, a clause each.
    pub(super) fn reasons(&self) -> Vec<String> {
        [
            (self.texts, "text", "convert it to paths"),
            (self.images, "image", "trace it first"),
            (self.hidden, "hidden element", "not displayed"),
            (self.unpainted, "mark", "without stroke and fill, or without length"),
            (self.filled, "filled shape", "without a stroke"),
            (self.paper_colored, "white mark", "the paper is white"),
            (self.far, "mark", "more than 1 km off the page"),
            (self.left_out, "mark", "on a layer labelled `%`"),
            (self.clipped, "mark", "outside its clip path"),
            (self.hidden_below, "mark", "hidden below filled shapes; --occlude=off draws it"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, why)| {
            format!("{count} {what}{} left out ({why})", if count == 1 { "" } else { "s" })
        })
        .collect()
    }
}
