//! The bundled model: a frozen TensorFlow graph in AWS's layout whose weights are a formula. Not trained.

use libm::expf;

use crate::tf;

/// Classes from left to right: steering in degrees, speed in m/s, and the column of the 20 that it looks at.
pub(crate) const ACTIONS: [(f64, f64, f32); 5] =
    [(30.0, 0.6, 4.0), (15.0, 0.8, 7.0), (0.0, 1.0, 9.5), (-15.0, 0.8, 12.0), (-30.0, 0.6, 15.0)];

/// Cells of 8x8 pixels: 20 columns, 15 rows.
const COLUMNS: usize = 20;
const ROWS: usize = 15;

/// The network: means of 8x8 pixels above 0.42 of white, weighed by bumps around each action's column in the rows
/// where the road is, softmax.
pub(crate) fn network() -> Vec<u8> {
    let mut dense = Vec::with_capacity(COLUMNS * ROWS * ACTIONS.len());
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            for (_, _, place) in ACTIONS {
                let road = if (5..=12).contains(&row) { 8.0 } else { 0.0 };
                let off = (f32::from(u8::try_from(column).unwrap()) - place) / 2.0;
                dense.push(road * expf(-off * off));
            }
        }
    }
    tf::graph(tf::small(&[1.0 / 64.0; 64], -0.42, &dense, &[0.0, 0.0, 0.5, 0.0, 0.0]))
}

/// Its metadata, as AWS writes it.
pub(crate) fn metadata() -> String {
    let actions: Vec<String> = ACTIONS
        .iter()
        .enumerate()
        .map(|(index, (steering, speed, _))| {
            format!("    {{\"steering_angle\": {steering:.1}, \"speed\": {speed:.1}, \"index\": {index}}}")
        })
        .collect();
    format!(
        "{{\n  \"action_space\": [\n{}\n  ],\n  \"action_space_type\": \"discrete\",\n  \"sensor\": [\"FRONT_FACING_CAMERA\"],\n  \
         \"training_algorithm\": \"clipped_ppo\",\n  \"version\": \"5\",\n  \
         \"made_by\": \"a formula, not training: see models/README.md\"\n}}\n",
        actions.join(",\n")
    )
}
