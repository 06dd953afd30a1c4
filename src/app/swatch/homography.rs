//! Maps between two planes seen in perspective.

use traceur_core::geometry::Point;

/// A map of points that keeps straight lines straight: from the swatch's mm to a picture's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Homography([f64; 9]);

impl Homography {
    /// That which maps four points onto four others; `None` where three of either lie on a line.
    pub(super) fn of(from: &[Point; 4], to: &[Point; 4]) -> Option<Self> {
        let mut rows = [[0.0; 9]; 8];
        for (index, (p, q)) in from.iter().zip(to).enumerate() {
            rows[2 * index] = [p.x, p.y, 1.0, 0.0, 0.0, 0.0, -p.x * q.x, -p.y * q.x, q.x];
            rows[2 * index + 1] = [0.0, 0.0, 0.0, p.x, p.y, 1.0, -p.x * q.y, -p.y * q.y, q.y];
        }
        let solved = solve(rows)?;
        let mut map = [1.0; 9];
        map[..8].copy_from_slice(&solved);
        Some(Self(map))
    }

    pub(super) fn apply(&self, p: Point) -> Point {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * p.x + h * p.y + i;
        Point::new((a * p.x + b * p.y + c) / w, (d * p.x + e * p.y + f) / w)
    }

    /// Pixels a mm near a point, the lesser of both directions.
    pub(super) fn scale_at(&self, p: Point) -> f64 {
        let at = self.apply(p);
        let along = at.distance(self.apply(Point::new(p.x + 1.0, p.y)));
        along.min(at.distance(self.apply(Point::new(p.x, p.y + 1.0))))
    }
}

/// Solves `N` linear equations, each a row of `N` factors and the value, by elimination with pivots.
pub(super) fn solve<const N: usize, const M: usize>(mut rows: [[f64; M]; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        if rows[column][column].abs() < 1e-12 {
            return None;
        }
        for row in 0..N {
            if row != column {
                let factor = rows[row][column] / rows[column][column];
                let by = rows[column];
                rows[row].iter_mut().zip(by).for_each(|(value, by)| *value -= factor * by);
            }
        }
    }
    let solved: [f64; N] = std::array::from_fn(|index| rows[index][M - 1] / rows[index][index]);
    solved.iter().all(|value| value.is_finite()).then_some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_points_and_all_between_them_are_mapped() {
        let square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)].map(Point::from);
        let seen = [(5.0, 3.0), (95.0, 12.0), (80.0, 88.0), (-4.0, 70.0)].map(Point::from);
        let map = Homography::of(&square, &seen).unwrap();
        for (from, to) in square.iter().zip(seen) {
            assert!(map.apply(*from).distance(to) < 1e-9);
        }
        // Diagonals meet where diagonals meet.
        let middle = map.apply(Point::new(5.0, 5.0));
        let off = |a: Point, b: Point| (b - a).cross(middle - a).abs() / a.distance(b);
        assert!(off(seen[0], seen[2]) < 1e-9 && off(seen[1], seen[3]) < 1e-9);
    }

    #[test]
    fn points_on_a_line_have_no_map() {
        let line = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)].map(Point::from);
        let square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)].map(Point::from);
        assert_eq!(Homography::of(&line, &square), None);
    }
}
