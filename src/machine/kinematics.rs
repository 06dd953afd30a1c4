//! Where a point of the page lies on the machine.

use kurbo::{Point, Rect};

use super::{Origin, Profile};

/// How a page lies on a machine: its corner at the machine's origin, edges parallel to the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    origin: Origin,
    page_height: f64,
}

impl Placement {
    /// A page of this height (mm) with its corner at the origin of `profile`'s bed.
    #[must_use]
    pub fn new(profile: &Profile, page_height: f64) -> Self {
        Self { origin: profile.bed.origin, page_height }
    }

    /// Page point (mm, y down) to machine point (mm, the machine's axes).
    #[must_use]
    pub fn to_machine(&self, page: Point) -> Point {
        match self.origin {
            Origin::BottomLeft => Point::new(page.x, self.page_height - page.y),
            Origin::TopLeft => page,
        }
    }

    /// Machine point (mm, the machine's axes) to page point (mm, y down).
    #[must_use]
    pub fn to_page(&self, machine: Point) -> Point {
        // Both maps are their own inverse.
        self.to_machine(machine)
    }

    /// The part of a page that the machine reaches, in page space; mm.
    #[must_use]
    pub fn reach(&self, profile: &Profile, page_width: f64) -> Rect {
        let bed = Rect::new(0.0, 0.0, profile.bed.width, profile.bed.height);
        let (a, b) = (self.to_page(bed.origin()), self.to_page(Point::new(bed.x1, bed.y1)));
        Rect::from_points(a, b).intersect(Rect::new(0.0, 0.0, page_width, self.page_height))
    }
}
