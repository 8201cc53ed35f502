//! One-against-rest linear classifiers: squared hinge loss with L2 regularisation, trained by dual
//! coordinate descent (Hsieh et al., ICML 2008), as LIBLINEAR does.

use crate::understand::vectors::Sparse;

/// Cost of an error against a small weight vector.
const COST: f32 = 1.0;
const MOST_ROUNDS: usize = 40;
/// Training ends when no step of a round moved further than this.
const TOLERANCE: f32 = 0.2;

/// The classifiers of all classes, over the same columns.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    /// By column, the weights of all classes side by side; the last row is the bias.
    weights: Vec<f32>,
    classes: usize,
}

impl Linear {
    /// Trains on `rows` with their `labels` (below `classes`). The same input gives the same
    /// weights, bit for bit.
    pub(super) fn train(rows: &[Sparse], labels: &[usize], classes: usize, columns: usize) -> Self {
        let mut weights = vec![0.0; (columns + 1) * classes];
        for class in 0..classes {
            let one = train_one(rows, labels, class, columns);
            for (column, weight) in one.into_iter().enumerate() {
                weights[column * classes + class] = weight;
            }
        }
        Self { weights, classes }
    }

    /// The signed distance of `row` from each class's boundary, about -1 to 1.
    pub(super) fn decide(&self, row: &Sparse) -> Vec<f32> {
        let bias = self.weights.len() - self.classes;
        let mut sums = self.weights[bias..].to_vec();
        for (column, value) in row {
            let start = *column as usize * self.classes;
            for (sum, weight) in sums.iter_mut().zip(&self.weights[start..start + self.classes]) {
                *sum += weight * value;
            }
        }
        sums
    }
}

fn train_one(rows: &[Sparse], labels: &[usize], class: usize, columns: usize) -> Vec<f32> {
    let mut weights = vec![0.0_f32; columns + 1];
    let mut alphas = vec![0.0_f32; rows.len()];
    let diagonal = 0.5 / COST;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut bound = f32::INFINITY;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..MOST_ROUNDS {
        shuffle(&mut order, &mut random);
        let mut largest = 0.0_f32;
        // Rows far on the right side of the boundary are left out from then on.
        order.retain(|at| {
            let (row, alpha) = (&rows[*at], alphas[*at]);
            let sign = if labels[*at] == class { 1.0 } else { -1.0 };
            let gradient = sign * product(&weights, row) - 1.0 + diagonal * alpha;
            if alpha == 0.0 && gradient > 0.0 {
                return gradient <= bound;
            }
            largest = largest.max(gradient.abs());
            let square: f32 = row.iter().map(|(_, x)| x * x).sum::<f32>() + 1.0 + diagonal;
            alphas[*at] = (alpha - gradient / square).max(0.0);
            add(&mut weights, row, sign * (alphas[*at] - alpha));
            true
        });
        if largest < TOLERANCE {
            break;
        }
        bound = largest;
    }
    weights
}

/// `weights · row`, with the bias as a last column that is always 1.
fn product(weights: &[f32], row: &Sparse) -> f32 {
    let bias = weights[weights.len() - 1];
    bias + row.iter().map(|(column, x)| weights[*column as usize] * x).sum::<f32>()
}

fn add(weights: &mut [f32], row: &Sparse, step: f32) {
    for (column, x) in row {
        weights[*column as usize] += step * x;
    }
    let bias = weights.len() - 1;
    weights[bias] += step;
}

/// Fisher-Yates with a small fixed generator (xorshift64): training must not depend on chance.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        order.swap(at, (*random % (at as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_rows_are_separated() {
        let rows: Vec<Sparse> = vec![
            vec![(0, 1.0)],
            vec![(0, 0.9), (2, 0.1)],
            vec![(1, 1.0)],
            vec![(1, 0.8), (2, 0.2)],
        ];
        let labels = [0, 0, 1, 1];
        let linear = Linear::train(&rows, &labels, 2, 3);
        for (row, label) in rows.iter().zip(labels) {
            let scores = linear.decide(row);
            assert!(scores[label] > 0.0 && scores[1 - label] < 0.0, "{scores:?}");
        }
    }

    #[test]
    fn no_rows_decide_nothing() {
        let linear = Linear::train(&[], &[], 2, 0);
        assert_eq!(linear.decide(&Vec::new()), [0.0, 0.0]);
    }
}
