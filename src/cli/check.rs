//! `hotline check`: is this dialplan right?
