"""Loss, metrics, the learner and its recipe"""
