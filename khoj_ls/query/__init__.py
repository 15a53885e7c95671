"""The query language: what a typed query asks for, filters included. Pure; knows neither the index nor editors."""
