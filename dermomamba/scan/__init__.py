"""One scan in one dimension, four in two, and the engines that compute them"""
