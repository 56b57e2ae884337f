"""scatter"""
