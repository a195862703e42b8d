//! A tree of hashes after RFC 6962: its root and its paths, at each size that it had, and how they are checked.
//!
//! Paths are checked by the `ct-merkle` crate, which also says of which nodes a path consists. The nodes are kept here,
//! since its own tree hashes the whole way up for each leaf, and has paths for its present size only: a proof is made
//! for a checkpoint, and the journal has grown since.
//!
//! Source: RFC 6962, section 2.1.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ct_merkle::{indices_for_consistency_proof, indices_for_inclusion_proof};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::personal::digest;

digest! {
    /// The hash of a node of a tree; that of the uppermost is the tree's root.
    ///
    /// Source: RFC 6962, section 2.1.
    TreeHash, 32;
}

/// The most leaves that a tree is taken to have: 2^48. There are fewer ticket numbers than that.
pub const MOST_LEAVES: u64 = 1 << 48;

/// A tree as it was at one size: what stands for all its leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: TreeHash,
}

impl TreeHead {
    /// Whether the leaf at `index`, counted from 0, is this one.
    pub(super) fn has(&self, leaf: &[u8], index: u64, path: &[TreeHash]) -> bool {
        if index >= self.size || self.size > MOST_LEAVES {
            return false;
        }
        InclusionProof::try_from_bytes(bytes(path))
            .is_ok_and(|path| self.checked().verify_inclusion(&leaf, index, &path).is_ok())
    }

    /// Whether the first leaves are those of `older`.
    pub(super) fn grew_from(&self, older: &Self, path: &[TreeHash]) -> bool {
        if older.size > self.size || self.size > MOST_LEAVES {
            return false;
        }
        // RFC 6962 has no proof for what every tree has grown from.
        if older.size == 0 {
            return path.is_empty() && older.root == empty_root();
        }
        ConsistencyProof::try_from_bytes(bytes(path))
            .is_ok_and(|path| self.checked().verify_consistency(&older.checked(), &path).is_ok())
    }

    fn checked(&self) -> RootHash<Sha256> {
        RootHash::new(self.root.0.into(), self.size)
    }
}

/// The leaf of what a tree is made of.
pub(super) fn leaf_hash(leaf: &[u8]) -> TreeHash {
    TreeHash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The edge of a tree: enough to let it grow and to know its root.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    size: u64,
    /// The roots of the largest full trees side by side, the largest first: one for each bit of the size that is set.
    peaks: Vec<TreeHash>,
}

impl Edge {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    pub(super) fn head(&self) -> TreeHead {
        let root = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        TreeHead { size: self.size, root: root.unwrap_or_else(empty_root) }
    }
}

/// A tree with all its nodes: 64 bytes for each leaf, and nothing for long stretches of leaves that were never set.
#[derive(Debug)]
pub(super) struct Tree {
    size: u64,
    /// The full nodes, the leaves first: node `i` of level `k` is over the leaves from `i * 2^k` on.
    levels: Vec<Paged<TreeHash>>,
}

impl Tree {
    /// A tree in which each leaf is `unset` until it is set.
    pub(super) fn new(unset: TreeHash) -> Self {
        Self { size: 0, levels: vec![Paged::new(unset)] }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Lets it grow to `size`, and sets leaves, each at an index below that.
    pub(super) fn set(&mut self, size: u64, leaves: &[(u64, TreeHash)]) {
        let before = std::mem::replace(&mut self.size, size);
        let mut changed: Vec<u64> = leaves.iter().map(|(index, _)| *index).collect();
        // The nodes over the old edge become full.
        changed.extend(before.checked_sub(1).filter(|_| before < size));
        changed.sort_unstable();
        while let (true, Some(last)) = (size >> self.levels.len() > 0, self.levels.last()) {
            let unset = node_hash(&last.unset, &last.unset);
            self.levels.push(Paged::new(unset));
        }
        for &(index, hash) in leaves {
            self.put(0, index, hash);
        }
        for level in 1.. {
            changed.iter_mut().for_each(|index| *index >>= 1);
            changed.dedup();
            changed.retain(|index| (index + 1) << level <= size);
            if changed.is_empty() {
                break;
            }
            for &index in &changed {
                let hash = node_hash(&self.full(level - 1, 2 * index), &self.full(level - 1, 2 * index + 1));
                self.put(level, index, hash);
            }
        }
    }

    /// The tree as it is.
    pub(super) fn head(&self) -> TreeHead {
        let top = self.size.next_power_of_two().trailing_zeros();
        let root = if self.size == 0 { empty_root() } else { self.node(top, 0, self.size) };
        TreeHead { size: self.size, root }
    }

    /// What shows that the leaf at `index` is in the tree as it was at `size`.
    pub(super) fn inclusion(&self, index: u64, size: u64) -> Option<Vec<TreeHash>> {
        if index >= size || size > self.size {
            return None;
        }
        Some(self.nodes(indices_for_inclusion_proof(size, index), size))
    }

    /// What shows that the tree at size `to` grew from the tree at size `from`.
    pub(super) fn growth(&self, from: u64, to: u64) -> Option<Vec<TreeHash>> {
        if from > to || to > self.size {
            return None;
        }
        if from == 0 {
            return Some(Vec::new());
        }
        Some(self.nodes(indices_for_consistency_proof(from, to - from), to))
    }

    /// The nodes with these numbers in the order in which `ct-merkle` counts them: as many bits at the end are set as
    /// the node's level says.
    fn nodes(&self, numbers: Vec<u64>, size: u64) -> Vec<TreeHash> {
        let place = |number: u64| (number.trailing_ones(), number >> (number.trailing_ones() + 1));
        numbers.into_iter().map(place).map(|(level, index)| self.node(level, index, size)).collect()
    }

    /// A node, as it was at `size`, when it perhaps was not full.
    fn node(&self, level: u32, index: u64, size: u64) -> TreeHash {
        if level == 0 || (index + 1) << level <= size {
            return self.full(level, index);
        }
        let left = self.node(level - 1, 2 * index, size);
        if (2 * index + 1) << (level - 1) < size {
            return node_hash(&left, &self.node(level - 1, 2 * index + 1, size));
        }
        left
    }

    fn full(&self, level: u32, index: u64) -> TreeHash {
        // There is a level for each full node that a tree of this size can have.
        self.levels.get(level as usize).map_or_else(empty_root, |nodes| nodes.get(index))
    }

    fn put(&mut self, level: u32, index: u64, hash: TreeHash) {
        if let Some(nodes) = self.levels.get_mut(level as usize) {
            nodes.put(index, hash);
        }
    }
}

/// A long row of values of which whole stretches may never be set, and then take no room.
#[derive(Debug)]
pub(super) struct Paged<T> {
    pages: Vec<Option<Box<[T]>>>,
    unset: T,
}

/// Values on a page.
const PAGE: usize = 256;

impl<T: Copy> Paged<T> {
    pub(super) fn new(unset: T) -> Self {
        Self { pages: Vec::new(), unset }
    }

    pub(super) fn get(&self, index: u64) -> T {
        let (page, line) = Self::place(index);
        let page = self.pages.get(page).and_then(Option::as_deref);
        page.and_then(|page| page.get(line)).copied().unwrap_or(self.unset)
    }

    pub(super) fn put(&mut self, index: u64, value: T) {
        let (page, line) = Self::place(index);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let unset = self.unset;
        if let Some(page) = self.pages.get_mut(page) {
            page.get_or_insert_with(|| vec![unset; PAGE].into_boxed_slice())[line] = value;
        }
    }

    const fn place(index: u64) -> (usize, usize) {
        (index as usize / PAGE, index as usize % PAGE)
    }
}

fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    TreeHash(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

fn empty_root() -> TreeHash {
    TreeHash(Sha256::digest([]).into())
}

fn bytes(path: &[TreeHash]) -> Vec<u8> {
    path.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    /// The leaves that Certificate Transparency's implementations are tested with, in hexadecimal digits.
    ///
    /// Source: certificate-transparency-go and transparency-dev/merkle, `testonly/reference_test.go`.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    /// The roots over the first 0 to 8 of them, from the same source.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn unhex(digits: &str) -> Vec<u8> {
        (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
    }

    fn hash(digits: &str) -> TreeHash {
        TreeHash::from_bytes(&unhex(digits)).unwrap()
    }

    fn leaves(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|i| i.to_be_bytes()[..(i % 9) as usize].to_vec()).collect()
    }

    fn tree(leaves: &[Vec<u8>]) -> Tree {
        let mut tree = Tree::new(leaf_hash(b"unset"));
        for (index, leaf) in (0..).zip(leaves) {
            tree.set(index + 1, &[(index, leaf_hash(leaf))]);
        }
        tree
    }

    /// The root as RFC 6962 defines it.
    fn by_definition(leaves: &[Vec<u8>]) -> TreeHash {
        match leaves {
            [] => empty_root(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn the_published_roots_come_out() {
        let leaves = LEAVES.map(unhex);
        let mut edge = Edge::default();
        for size in 0..=8 {
            let expected = TreeHead { size: size as u64, root: hash(ROOTS[size]) };
            assert_eq!((tree(&leaves[..size]).head(), edge.head()), (expected, expected));
            leaves.get(size).into_iter().for_each(|leaf| edge.push(leaf_hash(leaf)));
        }
    }

    #[test]
    fn the_published_paths_come_out_and_check() {
        let leaves = LEAVES.map(unhex);
        let tree = tree(&leaves);
        let head = |size: u64| TreeHead { size, root: hash(ROOTS[size as usize]) };
        let five = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
        let two = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
        for (size, index, path) in [
            (1, 0, vec![]),
            (3, 2, vec![ROOTS[2]]),
            (5, 1, vec![ROOTS[1], two, five]),
            (8, 5, vec![five, "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", ROOTS[4]]),
        ] {
            let path: Vec<TreeHash> = path.into_iter().map(hash).collect();
            assert_eq!(tree.inclusion(index, size).as_ref(), Some(&path));
            assert!(head(size).has(&leaves[index as usize], index, &path));
        }
        let six = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
        let ca = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
        for (from, to, path) in [(1, 1, vec![]), (2, 5, vec![two, five]), (6, 8, vec![six, ca, ROOTS[4]])] {
            let path: Vec<TreeHash> = path.into_iter().map(hash).collect();
            assert_eq!(tree.growth(from, to).as_ref(), Some(&path));
            assert!(head(to).grew_from(&head(from), &path));
        }
    }

    #[test]
    fn each_path_at_each_size_is_that_of_ct_merkle_and_checks() {
        let leaves = leaves(70);
        let (tree, mut edge, mut heads) = (tree(&leaves), Edge::default(), vec![Edge::default().head()]);
        let mut reference = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for size in 1..=leaves.len() as u64 {
            reference.push(leaves[size as usize - 1].clone());
            edge.push(leaf_hash(&leaves[size as usize - 1]));
            let head = edge.head();
            heads.push(head);
            assert_eq!(head.root.as_bytes(), reference.root().as_bytes().as_slice());
            assert_eq!(head.root, by_definition(&leaves[..size as usize]));
            for index in 0..size {
                let path = tree.inclusion(index, size).unwrap();
                assert_eq!(bytes(&path), reference.prove_inclusion(index as usize).as_bytes());
                assert!(head.has(&leaves[index as usize], index, &path));
                assert!(!head.has(b"another leaf", index, &path));
            }
            for from in 0..=size {
                let path = tree.growth(from, size).unwrap();
                if from > 0 {
                    assert_eq!(bytes(&path), reference.prove_consistency((size - from) as usize).as_bytes());
                }
                let older = heads[from as usize];
                assert!(head.grew_from(&older, &path));
                assert!(!head.grew_from(&TreeHead { root: leaf_hash(b"another"), ..older }, &path));
            }
        }
    }

    #[test]
    fn what_a_tree_does_not_have_is_no_panic() {
        let tree = tree(&leaves(5));
        assert_eq!((tree.inclusion(5, 5), tree.inclusion(0, 6), tree.inclusion(0, 0)), (None, None, None));
        assert_eq!((tree.growth(4, 3), tree.growth(1, 6), tree.growth(0, u64::MAX)), (None, None, None));
        assert_eq!((tree.inclusion(u64::MAX, u64::MAX), Tree::new(leaf_hash(b"")).inclusion(0, 0)), (None, None));
    }

    proptest! {
        #[test]
        fn leaves_set_anywhere_in_any_order_give_the_root_of_the_row(
            steps in prop::collection::vec(prop::collection::btree_map(0..700_u64, any::<u8>(), 0..9), 1..4),
        ) {
            let (mut tree, mut row) = (Tree::new(leaf_hash(b"unset")), Vec::<Vec<u8>>::new());
            for step in steps {
                let size = step.keys().next_back().map_or(0, |last| last + 1).max(row.len() as u64);
                row.resize(size as usize, b"unset".to_vec());
                for (index, byte) in &step {
                    row[*index as usize] = vec![*byte];
                }
                let set: Vec<_> = step.iter().map(|(index, byte)| (*index, leaf_hash(&[*byte]))).collect();
                tree.set(size, &set);
                let head = tree.head();
                prop_assert_eq!(head.root, by_definition(&row));
                for index in step.keys() {
                    prop_assert!(head.has(&row[*index as usize], *index, &tree.inclusion(*index, size).unwrap()));
                }
            }
        }

        #[test]
        fn no_size_index_or_path_makes_the_check_panic(
            size in prop_oneof![any::<u64>(), 0..40_u64, (0..64_u32).prop_map(|bit| 1 << bit)],
            older in prop_oneof![any::<u64>(), 0..40_u64, (0..64_u32).prop_map(|bit| 1 << bit)],
            index in prop_oneof![any::<u64>(), 0..40_u64],
            path in prop::collection::vec(any::<[u8; 32]>().prop_map(TreeHash), 0..66),
        ) {
            let root = leaf_hash(b"root");
            let head = TreeHead { size, root };
            let length = (0..=path.len()).find(|&length| head.has(b"leaf", index, &path[..length]));
            prop_assert_eq!(length, None);
            let older = TreeHead { size: older, root: leaf_hash(b"older") };
            prop_assert!((0..=path.len()).all(|length| !head.grew_from(&older, &path[..length])));
        }
    }
}
