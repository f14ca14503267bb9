"""Photographs in, masks out"""
