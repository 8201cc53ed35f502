//! `hotline eval`: how good is recognition on these recordings?
