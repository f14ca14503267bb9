"""The blocks of DermoMamba and the whole network"""
