"""Who answers, and how."""
