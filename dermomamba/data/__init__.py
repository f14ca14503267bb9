"""Photographs, masks and data sets"""
