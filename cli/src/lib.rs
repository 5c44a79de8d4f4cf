//! The native tool of pimms-edge.
