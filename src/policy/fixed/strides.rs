//! Row-major tensors seen as offsets: what permuting, broadcasting and contracting come down to.

/// Row-major strides of a shape.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut stride = 1;
    let mut strides: Vec<usize> = shape
        .iter()
        .rev()
        .map(|dim| {
            let own = stride;
            stride *= dim;
            own
        })
        .collect();
    strides.reverse();
    strides
}

/// The offset of each element of `shape`, in row-major order, where its axes have these strides.
pub(super) fn offsets(shape: &[usize], strides: &[usize]) -> Vec<usize> {
    let mut offsets = vec![0];
    for (dim, stride) in shape.iter().zip(strides) {
        offsets = offsets.iter().flat_map(|base| (0..*dim).map(move |index| base + index * stride)).collect();
    }
    offsets
}

/// For each element of `shape` the element of a tensor of shape `small` that broadcasts to it; `None` where it does not.
pub(super) fn broadcast(shape: &[usize], small: &[usize]) -> Option<Vec<usize>> {
    if shape.len() < small.len() {
        return None;
    }
    let missing = shape.len() - small.len();
    let mut own = vec![0; missing];
    for ((dim, wanted), stride) in small.iter().zip(shape.iter().skip(missing)).zip(strides(small)) {
        match (*dim, *wanted) {
            (1, _) => own.push(0),
            (dim, wanted) if dim == wanted => own.push(stride),
            _ => return None,
        }
    }
    Some(offsets(shape, &own))
}

#[cfg(test)]
mod tests {
    use super::{broadcast, offsets, strides};

    #[test]
    fn a_permuted_tensor_is_walked_in_its_new_order() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        // Two rows of three, seen as columns.
        assert_eq!(offsets(&[3, 2], &[1, 3]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(offsets(&[], &[]), [0]);
    }

    #[test]
    fn one_value_for_each_channel_stands_at_every_position() {
        assert_eq!(broadcast(&[2, 3], &[3]), Some(vec![0, 1, 2, 0, 1, 2]));
        assert_eq!(broadcast(&[2, 3], &[2, 1]), Some(vec![0, 0, 0, 1, 1, 1]));
        assert_eq!(broadcast(&[2, 3], &[2]), None);
    }
}
