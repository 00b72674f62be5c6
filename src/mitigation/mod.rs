//! mitigation
